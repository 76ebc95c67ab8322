/** How many configurations of one resource may be applied at once, and how often after that. */
const burst = 4;
/** ms. */
const refill = 200;

/**
 * Lets the first few changes through at once, and makes a longer burst wait, so that many changes become a few applies.
 * Whoever changes one thing after the other by hand or by an API client of Neutron (0.2 s each) never waits.
 */
export class ApplyBudget {
  #tokens = burst;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** 0: go ahead, one apply is taken. Otherwise the ms until one may be. */
  take(now: number): number {
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#at) / refill);
    this.#at = now;
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - this.#tokens) * refill));
  }
}
