import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease } from '@astara/model/appliance/api/stats.ts';
import { Daemon } from '../../daemons.ts';
import { type Check, type Health, type Known, known, type Runner, type RunnerContext } from '../service.ts';
import { checkNetwork } from './check.ts';
import { NetworkServers } from './network.ts';
import type { DhcpState, NetworkChange, NetworkState } from './state.ts';

/** Two dnsmasqs for each network: a change, a fault or a restart touches one of them. */
export class DhcpRunner implements Runner<DhcpState, NetworkChange> {
  readonly #context: RunnerContext;
  readonly #networks = new Map<string, NetworkServers>();
  /** What each of {@link #networks} was told last. */
  readonly #told = new Map<string, NetworkState>();

  constructor(context: RunnerContext) {
    this.#context = context;
  }

  /** Finds the dnsmasqs of an earlier agent, and ends those that are not wanted. */
  async adopt(state: DhcpState | undefined): Promise<void> {
    const processes = await this.#context.home.processes();
    for (const network of state?.values() ?? []) {
      const servers = this.#of(network.ifname);
      for (const server of servers.all) await server.adopt(processes);
      this.#told.set(network.ifname, network);
    }
    const ours = [...this.#networks.values()].flatMap(({ all }) => all);
    const strays = new Daemon({
      ...this.#context,
      program: 'dnsmasq',
      mine: (argv) => !ours.some((server) => server.owns(argv)),
    });
    await strays.adopt(() => true, processes);
    await strays.stop();
    if (state === undefined) await rm(join(this.#context.home.runDir, 'dnsmasq'), { recursive: true, force: true });
  }

  async observe(wanted: DhcpState, former: DhcpState | undefined): Promise<Known<DhcpState>> {
    const indexes = await this.#indexes();
    const found = new Map<string, NetworkState>();
    for (const [ifname, servers] of this.#networks) {
      const index = indexes.get(ifname) ?? 0;
      const candidates = [wanted.get(ifname), former?.get(ifname), this.#told.get(ifname)];
      const seen = candidates.find((state) => state !== undefined && servers.has(state, index));
      const other = candidates.find((state) => state !== undefined);
      if (seen !== undefined) found.set(ifname, seen);
      else if (other !== undefined) found.set(ifname, { ...other, digest: '' });
    }
    return known(found);
  }

  async execute({ ifname, from, to }: NetworkChange): Promise<void> {
    const servers = this.#of(ifname);
    if (to === undefined) {
      await servers.remove();
      this.#networks.delete(ifname);
      this.#told.delete(ifname);
      await rm(join(this.#context.home.runDir, 'dnsmasq', ifname), { recursive: true, force: true });
      return;
    }
    this.#told.set(ifname, to);
    await servers.ensure(from, to, (await this.#indexes()).get(ifname) ?? 0);
  }

  /** One that cannot be started does not keep the others from it. */
  async revive(state: DhcpState): Promise<void> {
    const indexes = await this.#indexes();
    const revived = [...state].map(([ifname, network]) => {
      return this.#of(ifname).revive(network, indexes.get(ifname) ?? 0);
    });
    const failed = (await Promise.allSettled(revived)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async health(state: DhcpState | undefined): Promise<Health> {
    const networks = [...(state?.values() ?? [])].map((network) => this.#of(network.ifname).health(network));
    const down = networks.flatMap(({ ifname, dns, dhcp }) => [
      ...(dns.running ? [] : [`DNS of ${ifname}`]),
      ...(dhcp === undefined || dhcp.running ? [] : [`DHCP of ${ifname}`]),
    ]);
    return {
      wanted: networks.length > 0,
      running: networks.length > 0 && down.length === 0,
      ...(down.length === 0 ? {} : { error: `not running: ${down.join(', ')}` }),
      ...(networks.length === 0 ? {} : { detail: { networks } }),
    };
  }

  async check(state: DhcpState, signal: AbortSignal): Promise<readonly Check[]> {
    const { netns } = this.#context.home;
    const present = new Set((await netns.addresses()).map(({ cidr }) => cidr.slice(0, cidr.indexOf('/'))));
    const all = [...state.values()].map((network) => checkNetwork(netns, network, present, signal));
    return (await Promise.all(all)).flat();
  }

  /** Of all networks; IPv4 and IPv6. */
  async leases(): Promise<readonly Lease[]> {
    const all = [...this.#told].map(([ifname, network]) => this.#of(ifname).leases(network));
    return (await Promise.all(all)).flat();
  }

  /** Lets them run. */
  async release(): Promise<void> {
    for (const servers of this.#networks.values()) servers.release();
  }

  #of(ifname: string): NetworkServers {
    const servers = this.#networks.get(ifname) ?? new NetworkServers(this.#context, ifname);
    this.#networks.set(ifname, servers);
    return servers;
  }

  async #indexes(): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.#context.home.netns.links()).map(({ ifname, index }) => [ifname, index]));
  }
}
