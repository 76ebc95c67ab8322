import type { Pending } from './store.ts';

/** A commit that is given up unless somebody confirms it in time (RFC 6241 §8.4). */
export class Confirmation {
  #pending: Pending | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** What waits. */
  get pending(): Pending | undefined {
    return this.#pending;
  }

  /** Waits for it instead of whatever it waited for. `expired` is called when the time is over, at once if it is already. */
  await(pending: Pending, expired: () => void): void {
    this.end();
    this.#pending = pending;
    this.#timer = setTimeout(expired, Math.max(0, Date.parse(pending.confirm_by) - Date.now()));
    this.#timer.unref();
  }

  /** Waits no more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#pending = undefined;
  }
}
