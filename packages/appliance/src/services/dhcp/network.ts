import { readFileSync } from 'node:fs';
import type { Lease } from '@astara/model/appliance/api/stats.ts';
import { startTime } from '../../processes.ts';
import { type Known, known, type RunnerContext } from '../service.ts';
import { dropLeases, readLeaseFile, settledLeaseFile } from './lease-file.ts';
import { currentLeases, type LeaseLine, movedAddresses, parseLeases, staleLeases } from './leases.ts';
import { DnsmasqServer } from './server.ts';
import type { NetworkState } from './state.ts';

/** Linux counts in these, whatever the kernel's HZ is. Per second */
const CLOCK_TICKS = 100;

export interface NetworkHealth {
  readonly ifname: string;
  readonly network_id: string;
  readonly dns: { readonly running: boolean; readonly uptime_s?: number; readonly names: number };
  readonly dhcp?: {
    readonly running: boolean;
    readonly uptime_s?: number;
    readonly hosts: number;
    readonly leases: number;
  };
}

/**
 * The two dnsmasqs of a network. One that did both would hold DNS up while it goes over its leases, which it does for each host
 * and each name that comes: for 10,000 leases that takes a second.
 */
export class NetworkServers {
  readonly #dns: DnsmasqServer;
  readonly #dhcp: DnsmasqServer;

  constructor(context: RunnerContext, ifname: string) {
    this.#dns = new DnsmasqServer(context, ifname, 'dns');
    this.#dhcp = new DnsmasqServer(context, ifname, 'dhcp');
  }

  get all(): readonly DnsmasqServer[] {
    return [this.#dns, this.#dhcp];
  }

  has({ dns, dhcp }: NetworkState, index: number): boolean {
    if (dhcp === undefined) return this.#dhcp.pid === undefined && this.#dns.has(dns, index);
    return this.#dns.has(dns, index) && this.#dhcp.has(dhcp, index);
  }

  async ensure(from: Known<NetworkState | undefined>, to: NetworkState, index: number): Promise<void> {
    await this.#dns.ensure(from.unknown ? from : known(from.value?.dns), to.dns, index, undefined);
    if (to.dhcp === undefined) {
      await this.#dhcp.remove();
      return;
    }
    const moved = from.unknown ? new Set<string>() : movedAddresses(from.value?.owners ?? new Map(), to.owners);
    const stale = (leases: readonly LeaseLine[]) => staleLeases(leases, to.owners, moved);
    // A lease that stands in the way of an address's new owner goes only while dnsmasq does not run.
    const blocked = (from.unknown || moved.size > 0) && stale(await this.#leases()).length > 0;
    const restart = blocked ? { prepare: () => dropLeases(this.#dhcp.leases, this.#dhcp.user, stale) } : undefined;
    await this.#dhcp.ensure(from.unknown ? from : known(from.value?.dhcp), to.dhcp, index, restart);
  }

  async revive({ dns, dhcp }: NetworkState, index: number): Promise<void> {
    const revived = [this.#dns.revive(dns, index), ...(dhcp === undefined ? [] : [this.#dhcp.revive(dhcp, index)])];
    const failed = (await Promise.allSettled(revived)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async remove(): Promise<void> {
    await Promise.all(this.all.map((server) => server.remove()));
  }

  release(): void {
    for (const server of this.all) server.release();
  }

  async leases({ owners, networkId }: NetworkState): Promise<Lease[]> {
    return currentLeases(await this.#leases(), owners, networkId);
  }

  health({ ifname, networkId, dns, dhcp }: NetworkState): NetworkHealth {
    return {
      ifname,
      network_id: networkId,
      dns: { ...life(this.#dns.pid), names: dns.lines.length },
      ...(dhcp === undefined
        ? {}
        : {
            dhcp: {
              ...life(this.#dhcp.pid),
              hosts: dhcp.lines.length,
              leases: parseLeases(readLeaseFile(this.#dhcp.leases)).length,
            },
          }),
    };
  }

  async #leases(): Promise<LeaseLine[]> {
    return parseLeases(await settledLeaseFile(this.#dhcp.leases, () => this.#dhcp.pid !== undefined));
  }
}

function life(pid: number | undefined): { running: boolean; uptime_s?: number } {
  const start = pid === undefined ? undefined : startTime(pid);
  if (start === undefined) return { running: false };
  const [up = '0'] = readFileSync('/proc/uptime', 'utf8').split(' ');
  return { running: true, uptime_s: Math.max(0, Math.round(Number(up) - Number(start) / CLOCK_TICKS)) };
}
