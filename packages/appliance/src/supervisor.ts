import { startTime } from './processes.ts';

/**
 * Looks after the daemons of all appliances of one process, with one timer: they are nobody's children here (they outlive us),
 * so their end is seen in /proc only.
 */
export class Supervisor {
  readonly #watched = new Map<number, { start: string; gone: () => void }>();
  readonly #timer: NodeJS.Timeout;

  /** `interval`: ms between two looks. */
  constructor(interval = 500) {
    this.#timer = setInterval(() => this.#look(), interval);
    this.#timer.unref();
  }

  /** Calls `gone` once when this process has ended, unless it is unwatched before. False when it has ended already. */
  watch(pid: number, gone: () => void): boolean {
    const start = startTime(pid);
    if (start === undefined) return false;
    this.#watched.set(pid, { start, gone });
    return true;
  }

  unwatch(pid: number): void {
    this.#watched.delete(pid);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  #look(): void {
    for (const [pid, { start, gone }] of this.#watched) {
      if (startTime(pid) === start) continue;
      this.#watched.delete(pid);
      gone();
    }
  }
}
