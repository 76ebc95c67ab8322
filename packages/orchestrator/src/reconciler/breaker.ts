export interface BreakerOptions {
  /** Of the instances, 0 to 1. */
  readonly share: number;
  /** Instances. */
  readonly least: number;
}

export const defaultBreaker: BreakerOptions = { share: 0.3, least: 5 };

/**
 * Opens when so many instances are dead at once that the fault is likely not theirs: rebuilding them would take away what may
 * still work. Closes when they are back, or when an operator says so, and then stays closed until they have been back.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #open = false;
  #overridden = false;
  #dead = 0;
  #total = 0;

  constructor(options: BreakerOptions = defaultBreaker) {
    this.#options = options;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Why it is open; undefined when it is not. */
  get reason(): string | undefined {
    if (!this.#open) return undefined;
    return `${this.#dead} of ${this.#total} instances are dead at once and are not rebuilt; look at the host, then PUT /v1/breaker/reset`;
  }

  /** Whether it opened or closed. */
  judge(dead: number, total: number): boolean {
    this.#dead = dead;
    this.#total = total;
    const many = dead >= this.#options.least && dead >= this.#options.share * total;
    if (!many) this.#overridden = false;
    const open = many && !this.#overridden;
    const turned = open !== this.#open;
    this.#open = open;
    return turned;
  }

  /** An operator has looked: rebuild them. */
  reset(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#overridden = true;
  }
}
