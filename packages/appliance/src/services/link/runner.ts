import type { Netns, NetOperation } from '@astara/kernel/contract.ts';
import { Announcer } from '../announce/announcer.ts';
import { type Health, type Known, known, type Runner, type RunnerContext } from '../service.ts';
import { observeLinks } from './observe.ts';
import { addressKey, type LinkState } from './state.ts';

/** Operations of the kernel, or addresses to tell the segment about: interface → addresses. */
export type LinkChange =
  | {
      readonly kind: 'kernel';
      readonly sysctls: Readonly<Record<string, string>>;
      readonly operations: readonly NetOperation[];
      /** Whether this takes away, so that what is gone already is fine. */
      readonly removes: boolean;
    }
  | { readonly kind: 'announce'; readonly addresses: ReadonlyMap<string, readonly string[]> };

export class LinkRunner implements Runner<LinkState, LinkChange> {
  readonly #netns: Netns;
  readonly #announcer: Announcer;
  /** Addresses that this process has added and not removed, by `ifname address`. */
  readonly #own = new Set<string>();

  constructor({ home, log }: RunnerContext) {
    this.#netns = home.netns;
    this.#announcer = new Announcer(home.netns, log);
  }

  async adopt(): Promise<void> {}

  async observe(wanted: LinkState, former: LinkState | undefined): Promise<Known<LinkState>> {
    const ours = new Set([...wanted.addresses.keys(), ...(former?.addresses.keys() ?? [])]);
    return known(await observeLinks(this.#netns, ours));
  }

  async execute(change: LinkChange): Promise<void> {
    if (change.kind === 'announce') {
      this.#announcer.announce(change.addresses, (ifname, address) => this.#own.has(`${ifname} ${address}`));
      return;
    }
    // Kernel switches first: they say how an interface behaves once it is up.
    if (Object.keys(change.sysctls).length > 0) await this.#netns.sysctl(change.sysctls);
    await this.#operate(change.operations, change.removes);
    for (const operation of change.operations) {
      if (operation.op !== 'address-add' && operation.op !== 'address-delete') continue;
      const key = addressKey(operation.ifname, operation.cidr.slice(0, operation.cidr.indexOf('/')));
      if (operation.op === 'address-add') this.#own.add(key);
      else this.#own.delete(key);
    }
  }

  async health(state: LinkState | undefined): Promise<Health> {
    return { wanted: state !== undefined, running: state !== undefined };
  }

  async release(): Promise<void> {
    this.#announcer.close();
  }

  /** What takes away is left out where the interface is not there any more. */
  async #operate(operations: readonly NetOperation[], removes: boolean): Promise<void> {
    if (operations.length === 0) return;
    if (!removes) return this.#netns.change(operations);
    const present = new Set((await this.#netns.links()).map((link) => link.ifname));
    const possible = operations.filter((operation) => {
      return !('ifname' in operation) || operation.ifname === undefined || present.has(operation.ifname);
    });
    if (possible.length > 0) await this.#netns.change(possible);
  }
}
