import type { Netns } from '@astara/kernel/contract.ts';
import type { Log } from '../../log.ts';

/** When new addresses are told to the segment: ms after they are in force. Once is not enough, for the L2 agent may still be wiring the port. */
const TIMES = [0, 1_000, 3_000, 7_000] as const;

/** Tells the segments who has the new addresses, several times, from timers: nobody waits for it. */
export class Announcer {
  readonly #netns: Netns;
  readonly #log: Log;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(netns: Netns, log: Log) {
    this.#netns = netns;
    this.#log = log;
  }

  /** `addresses`: interface → addresses. `still` says whether an address is ours at that time. */
  announce(
    addresses: ReadonlyMap<string, readonly string[]>,
    still: (ifname: string, address: string) => boolean,
  ): void {
    for (const time of TIMES) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        for (const [ifname, all] of addresses) {
          const current = all.filter((address) => still(ifname, address));
          if (current.length > 0) void this.#tell(ifname, current);
        }
      }, time);
      timer.unref();
      this.#timers.add(timer);
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #tell(ifname: string, addresses: readonly string[]): Promise<void> {
    try {
      await this.#netns.announce(ifname, addresses);
    } catch (error) {
      this.#log.warn({ err: error, ifname, addresses: addresses.length }, 'addresses were not announced');
    }
  }
}
