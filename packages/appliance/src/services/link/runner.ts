import type { Netns, NetOperation } from '@astara/kernel/contract.ts';
import { Announcer } from '../announce/announcer.ts';
import { type Check, type Health, type Known, known, type Runner, type RunnerContext } from '../service.ts';
import { checkGateways, checkPorts } from './check.ts';
import { observeLinks } from './observe.ts';
import type { KernelWork } from './plan.ts';
import type { LinkState } from './state.ts';

/** Work for the kernel, or addresses to tell the segment about: interface → addresses. */
export type LinkChange =
  | ({
      readonly kind: 'kernel';
      /** What is about interfaces that are gone is left out: this takes away, or leads back. */
      readonly lenient?: true;
    } & KernelWork)
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
    return known(await observeLinks(this.#netns, wanted, former));
  }

  async execute(change: LinkChange): Promise<void> {
    if (change.kind === 'announce') {
      this.#announcer.announce(change.addresses, (ifname, address) => this.#own.has(`${ifname} ${address}`));
      return;
    }
    const { prepare, sysctls, operations, lenient = false } = change;
    await this.#operate(prepare, lenient);
    await this.#switch(sysctls, lenient);
    await this.#operate(operations, lenient);
    for (const operation of operations) this.#remember(operation);
  }

  async health(state: LinkState | undefined): Promise<Health> {
    if (state === undefined) return { wanted: false, running: false };
    const failed = checkPorts(state, await this.#netns.links()).filter(({ ok }) => !ok);
    const running = { wanted: true, running: true };
    return failed.length === 0 ? running : { ...running, error: failed.map(({ detail }) => detail).join('; ') };
  }

  /** Interfaces are up and wired, default gateways answer. */
  async check(state: LinkState, signal: AbortSignal): Promise<readonly Check[]> {
    const [links, gateways] = await Promise.all([this.#netns.links(), checkGateways(this.#netns, state, signal)]);
    return [...checkPorts(state, links), ...gateways];
  }

  async release(): Promise<void> {
    this.#announcer.close();
  }

  #remember(operation: NetOperation): void {
    if (operation.op !== 'address-add' && operation.op !== 'address-delete') return;
    const { ifname, cidr } = operation;
    const key = `${ifname} ${cidr.slice(0, cidr.indexOf('/'))}`;
    if (operation.op === 'address-add') this.#own.add(key);
    else this.#own.delete(key);
  }

  async #operate(operations: readonly NetOperation[], lenient: boolean): Promise<void> {
    if (operations.length === 0) return;
    if (!lenient) return this.#netns.change(operations);
    const present = new Set((await this.#netns.links()).map((link) => link.ifname));
    const possible = operations.filter((operation) =>
      interfacesOf(operation).every((ifname) => ifname === undefined || present.has(ifname)),
    );
    if (possible.length > 0) await this.#netns.change(possible);
  }

  async #switch(sysctls: Readonly<Record<string, string>>, lenient: boolean): Promise<void> {
    const keys = Object.keys(sysctls);
    if (keys.length === 0) return;
    if (!lenient) return this.#netns.sysctl(sysctls);
    const present = await this.#netns.readSysctl(keys);
    await this.#netns.sysctl(Object.fromEntries(Object.entries(sysctls).filter(([key]) => key in present)));
  }
}

function interfacesOf(operation: NetOperation): (string | undefined)[] {
  const hops = operation.op === 'route-replace' ? (operation.hops ?? []) : [];
  return ['ifname' in operation ? operation.ifname : undefined, ...hops.map(({ ifname }) => ifname)];
}
