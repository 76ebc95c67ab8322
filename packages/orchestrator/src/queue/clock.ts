/** Time, so that tests can turn it by hand. */
export interface Clock {
  /** Milliseconds, monotonic, from any origin. */
  now(): number;
  /** Calls `fn` once, `ms` from now at the earliest. The answer cancels it. */
  after(ms: number, fn: () => void): () => void;
}

/** Longer than setTimeout can wait: it would fire at once. */
const longest = 2 ** 31 - 1;

/** Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, Math.min(ms, longest));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A clock that stands still until {@link ManualClock.advance} turns it. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly due: number; readonly fn: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { due: this.#now + ms, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the next timer is due; undefined when there is none. */
  get next(): number | undefined {
    let next: number | undefined;
    for (const { due } of this.#timers) if (next === undefined || due < next) next = due;
    return next;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.next;
      if (due === undefined || due > end) break;
      this.#now = Math.max(this.#now, due);
      for (const timer of [...this.#timers]) {
        if (timer.due <= this.#now && this.#timers.delete(timer)) timer.fn();
      }
    }
    this.#now = end;
  }
}
