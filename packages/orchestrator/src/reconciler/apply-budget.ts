/** How many configurations of one resource may be applied at once, and how often after that. */
const burst = 3;
/** ms. */
const refill = 400;

/**
 * Lets the first few changes through at once, and makes a longer burst wait, so that many changes become a few applies.
 * Whoever changes one thing after the other by hand never waits; a program that changes one resource without pause waits 0.4 s at the most.
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
