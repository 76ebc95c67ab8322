import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../../home.ts';
import { until } from '../../processes.ts';
import {
  type Check,
  type Health,
  type Known,
  known,
  type Runner,
  type RunnerContext,
  unknown,
  type Whole,
} from '../service.ts';
import { Conntrackd } from './conntrackd.ts';
import { Keepalived } from './keepalived.ts';
import type { AddressNode } from './nodes.ts';
import { DIRECTORY, type HaState } from './state.ts';
import { routerState } from './states.ts';

/** A change of mastership that is under way is over by then, but for many addresses. ms */
const CHECK_TIMEOUT = 2_000;

/** One member of a router: who is master is keepalived's business, also while nobody runs this. */
export class HaRunner implements Runner<HaState | undefined, Whole<HaState | undefined>> {
  readonly #home: Home;
  readonly #keepalived: Keepalived;
  readonly #conntrackd: Conntrackd;

  constructor(context: RunnerContext) {
    this.#home = context.home;
    this.#keepalived = new Keepalived(context);
    this.#conntrackd = new Conntrackd(context);
  }

  async adopt(state: HaState | undefined): Promise<void> {
    await this.#keepalived.adopt(state);
    await this.#conntrackd.adopt(state?.conntrackd);
    if (state === undefined) await rm(this.#directory, { recursive: true, force: true });
  }

  /** Known is whether it is as it was left: what differs is mended by saying it all again. */
  async observe(_: HaState | undefined, former: HaState | undefined): Promise<Known<HaState | undefined>> {
    const running = this.#keepalived.running || this.#conntrackd.running;
    if (former === undefined) return running ? unknown : known(undefined);
    const sync = this.#conntrackd.uses(former.conntrackd);
    return known(sync && (await this.#keepalived.isAsTold(former)) ? former : undefined);
  }

  async execute({ from, to }: Whole<HaState | undefined>): Promise<void> {
    const former = from.unknown ? undefined : from.value;
    if (to === undefined) return this.#leave(former);
    await mkdir(this.#directory, { recursive: true, mode: 0o755 });
    await this.#linkLocal(to.addresses, false);
    // First: a member that becomes master knows the others' connections.
    await this.#conntrackd.ensure(to.conntrackd);
    await this.#keepalived.ensure(to);
  }

  async revive(state: HaState | undefined): Promise<void> {
    if (state === undefined) return;
    await Promise.all([this.#keepalived.revive(state), this.#conntrackd.revive(state.conntrackd)]);
  }

  async health(state: HaState | undefined): Promise<Health> {
    if (state === undefined) return { wanted: false, running: this.#keepalived.running };
    const sync = state.conntrackd === undefined || this.#conntrackd.running;
    const missing = [...(this.#keepalived.running ? [] : ['keepalived']), ...(sync ? [] : ['conntrackd'])];
    const instances = Object.fromEntries(this.#keepalived.states);
    return {
      wanted: true,
      running: missing.length === 0,
      ...(missing.length === 0 ? {} : { error: `${missing.join(' and ')} not running` }),
      detail: { state: this.#keepalived.state ?? 'UNKNOWN', instances, conntrack_sync: state.conntrackd !== undefined },
    };
  }

  async check(state: HaState | undefined, signal: AbortSignal): Promise<readonly Check[]> {
    if (state === undefined) return [];
    const keepalived = this.#keepalived;
    const checks: Check[] = [{ name: 'keepalived runs', ok: keepalived.running }];
    if (state.conntrackd !== undefined) checks.push({ name: 'conntrackd runs', ok: this.#conntrackd.running });
    let held = 0;
    const asMastership = async () => {
      held = (await keepalived.held(state.addresses)).length;
      return held === (keepalived.state === 'MASTER' ? state.addresses.length : 0);
    };
    const ok = await until(async () => signal.aborted || (await asMastership()), CHECK_TIMEOUT);
    const role = routerState(keepalived.states) ?? 'UNKNOWN';
    const detail = `${role}, ${held} of ${state.addresses.length} held`;
    checks.push({ name: 'the master, and no other, has the virtual addresses', ok: ok && !signal.aborted, detail });
    return checks;
  }

  async release(): Promise<void> {
    this.#keepalived.release();
    this.#conntrackd.release();
  }

  async #leave(former: HaState | undefined): Promise<void> {
    await this.#keepalived.leave(former);
    await this.#conntrackd.stop();
    if (former !== undefined) await this.#linkLocal(former.addresses, true);
    await rm(this.#directory, { recursive: true, force: true });
  }

  /**
   * Whether the kernel gives the interfaces link-local addresses of their own. A member has none but the router's: the others must
   * not hear router advertisements from it (BIRD), or DHCPv6 (dnsmasq), which both need one.
   */
  async #linkLocal(addresses: readonly AddressNode[], own: boolean): Promise<void> {
    const { netns } = this.#home;
    const withV6 = new Set<string>(addresses.flatMap(({ ifname, cidr }) => (cidr.includes(':') ? [ifname] : [])));
    const shared = (await netns.links()).flatMap(({ ifname }) => (withV6.has(ifname) ? [ifname] : []));
    // addr_gen_mode, ip-sysctl(5): 0 is by EUI-64, 1 none.
    const mode = shared.map((ifname) => [`net/ipv6/conf/${ifname}/addr_gen_mode`, own ? '0' : '1'] as const);
    await netns.sysctl(Object.fromEntries(mode));
    if (own) return;
    const made = (await netns.addresses()).filter(
      ({ ifname, permanent, scope }) => shared.includes(ifname) && !permanent && scope === 'link',
    );
    if (made.length > 0) await netns.change(made.map(({ ifname, cidr }) => ({ op: 'address-delete', ifname, cidr })));
  }

  get #directory(): string {
    return join(this.#home.runDir, DIRECTORY);
  }
}
