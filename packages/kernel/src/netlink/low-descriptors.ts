/**
 * Keeps a few descriptors below 1024 for libnftables: it waits with select(2), and a process that calls that with a higher
 * one is aborted. An agent with some hundred namespaces has used up the low ones.
 */
import { closeSync, openSync } from 'node:fs';

/** FD_SETSIZE of glibc. */
const FD_SETSIZE = 1024;

/** One is in use at a time; the others make up for one that another thread took in the instant it was free. */
const RESERVE = 4;

export class LowDescriptors {
  readonly #reserve: number[] = [];

  constructor() {
    this.refill();
  }

  /** The number that the next opened descriptor will most likely get; undefined when none below 1024 can be freed. */
  next(): number | undefined {
    const lowest = openSync('/dev/null', 'r');
    closeSync(lowest);
    if (lowest < FD_SETSIZE) return lowest;
    const fd = this.#reserve.pop();
    if (fd !== undefined) closeSync(fd);
    return fd;
  }

  /** Takes back what {@link next} gave away, as far as low descriptors are free. */
  refill(): void {
    while (this.#reserve.length < RESERVE) {
      const fd = openSync('/dev/null', 'r');
      if (fd >= FD_SETSIZE) {
        closeSync(fd);
        return;
      }
      this.#reserve.push(fd);
    }
  }
}
