import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Daemon } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import type { Home } from '../../home.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { until } from '../../processes.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import { type Health, type Known, type Runner, type RunnerContext, unknown, type Whole } from '../service.ts';
import { owners } from './desired.ts';
import {
  type Lease,
  lostAddresses,
  movedAddresses,
  orphanedLeases,
  parseLeases,
  staleLeases,
  withoutLeases,
} from './leases.ts';
import type { DhcpNode } from './nodes.ts';
import { confName, type DhcpFiles, type DhcpPaths, renderDhcp } from './render.ts';

/** Below the run directory. */
const DIRECTORY = 'dnsmasq';
/** Leases given up at once, at most: the others end in their time. */
const MAX_RELEASES = 64;
/** ms */
const RELEASE_TIMEOUT = 250;

/** As a running dnsmasq has it, or shall have it. */
export interface DhcpState {
  readonly files: DhcpFiles;
  /** Address → MAC. */
  readonly owners: ReadonlyMap<string, string>;
  /** Subnet → interface. */
  readonly subnets: PrefixTable<string>;
}

export function dhcpPaths(runDir: string): DhcpPaths {
  const path = (name: string) => join(runDir, DIRECTORY, name);
  return {
    hosts: path('hosts'),
    options: path('options'),
    names: path('names'),
    leases: path('leases'),
    pid: path('pid'),
  };
}

export function dhcpState(node: DhcpNode | undefined, runDirInside: string): DhcpState | undefined {
  if (node === undefined) return undefined;
  const subnets = new PrefixTable<string>();
  for (const { cidr, ifname } of node.ranges) subnets.add(cidr, ifname);
  return Object.freeze({ files: renderDhcp(node, dhcpPaths(runDirInside)), owners: owners(node), subnets });
}

/**
 * One dnsmasq for all networks of the appliance. Hosts, options and names are files that it reads again on SIGHUP, in the order
 * of a millisecond: right for what comes and for what goes. Another `conf` needs a restart (some 10 ms; the lease file stays).
 * So does a lease that stands in the way of an address's new owner: dnsmasq would not give the address away before it runs out.
 */
export class DhcpRunner implements Runner<DhcpState | undefined, Whole<DhcpState | undefined>> {
  readonly #home: Home;
  readonly #daemon: Daemon;
  readonly #here: DhcpPaths;

  constructor(context: RunnerContext) {
    this.#home = context.home;
    this.#daemon = new Daemon({ ...context, program: 'dnsmasq' });
    this.#here = dhcpPaths(context.home.runDir);
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  /** Finds the dnsmasq of an earlier agent. */
  async adopt(state: DhcpState | undefined): Promise<void> {
    const wanted = state === undefined ? '' : confName(state.files);
    await this.#daemon.adopt((argv) => argv.some((argument) => argument.endsWith(`/${wanted}`)));
    if (state === undefined) await this.#ensure(undefined, undefined);
  }

  async observe(): Promise<Known<DhcpState | undefined>> {
    return unknown;
  }

  execute({ from, to }: Whole<DhcpState | undefined>): Promise<void> {
    return this.#ensure(to, from.unknown ? undefined : from.value);
  }

  async health(state: DhcpState | undefined): Promise<Health> {
    return { wanted: state !== undefined, running: this.running };
  }

  /** Makes it so. `before` is what it was told last; without it everything is compared with the files. */
  async #ensure(state: DhcpState | undefined, before: DhcpState | undefined): Promise<void> {
    if (state === undefined) {
      await this.#daemon.stop();
      await rm(join(this.#home.runDir, DIRECTORY), { recursive: true, force: true });
      return;
    }
    await mkdir(join(this.#home.runDir, DIRECTORY), { recursive: true, mode: 0o755 });
    this.#write('hosts', state, before);
    this.#write('options', state, before);
    this.#write('names', state, before);

    const conf = confName(state.files);
    const current = this.#daemon.running?.argv.some((argument) => argument.endsWith(`/${conf}`)) ?? false;
    if (current) {
      this.#daemon.signal('SIGHUP');
      await this.#release(state, before);
    }
    if (!current || (await this.#stale(state, before)).length > 0) await this.#restart(state, before, conf);
  }

  /** Starts it again after it has ended by itself. */
  async revive(state: DhcpState | undefined): Promise<void> {
    if (state === undefined || this.running) return;
    try {
      await this.#restart(state, state, confName(state.files));
    } catch (error) {
      this.#daemon.reviveLater();
      throw error;
    }
  }

  /** Lets it run. */
  async release(): Promise<void> {
    this.#daemon.release();
  }

  #write(name: 'hosts' | 'options' | 'names', state: DhcpState, before: DhcpState | undefined): void {
    const text = state.files[name];
    const found = before === undefined ? readIfPresent(this.#here[name]) : before.files[name];
    if (found !== text) writeAtomically(this.#here[name], text);
  }

  /**
   * Tells dnsmasq, in the name of those who have an address no more, that they give up their leases, whether or not they have
   * any: the lease file is a little behind. Needs dhcp_release of dnsmasq-utils: without it the names of gone ports live on
   * until their leases end, and an address that changes hands costs a restart.
   */
  async #release(state: DhcpState, before: DhcpState | undefined): Promise<void> {
    const orphaned = before === undefined ? await this.#orphaned(state) : lostAddresses(before.owners, state.owners);
    if (orphaned.length === 0) return;
    const released = orphaned.slice(0, MAX_RELEASES).map(async ({ address, mac }) => {
      const ifname = state.subnets.find(address);
      if (ifname !== undefined) await this.#home.run(['dhcp_release', ifname, address, mac]);
    });
    const results = await Promise.allSettled(released);
    if (results.some(({ status }) => status === 'rejected')) return;
    await until(async () => (await this.#orphaned(state)).length === 0, RELEASE_TIMEOUT);
  }

  async #orphaned(state: DhcpState) {
    return orphanedLeases(await this.#leases(), state.owners);
  }

  /** Leases that would keep an address from its owner. */
  async #stale(state: DhcpState, before: DhcpState | undefined) {
    const moved = before === undefined ? new Set<string>() : movedAddresses(before.owners, state.owners);
    if (before !== undefined && moved.size === 0) return [];
    return staleLeases(await this.#leases(), state.owners, moved);
  }

  /** dnsmasq empties the file and writes it anew: while it runs, two looks some time apart must see the same. */
  async #leases(): Promise<Lease[]> {
    const read = () => readIfPresent(this.#here.leases) ?? '';
    let text = read();
    for (let tries = 0; this.running && tries < 10; tries += 1) {
      await setTimeout(2);
      const again = read();
      if (again === text) break;
      text = again;
    }
    return parseLeases(text);
  }

  async #restart(state: DhcpState, before: DhcpState | undefined, conf: string): Promise<void> {
    const directory = join(this.#home.runDir, DIRECTORY);
    writeAtomically(join(directory, conf), state.files.conf);
    await this.#daemon.stop();
    const stale = await this.#stale(state, before);
    if (stale.length > 0) {
      const text = readIfPresent(this.#here.leases) ?? '';
      writeAtomically(this.#here.leases, withoutLeases(text, stale));
    }
    await rm(this.#here.pid, { force: true });
    const path = join(this.#home.runDirInside, DIRECTORY, conf);
    try {
      // dnsmasq writes its pid once its sockets are bound.
      await this.#daemon.start(
        ['dnsmasq', '--keep-in-foreground', `--conf-file=${path}`],
        () => (readIfPresent(this.#here.pid) ?? '') !== '',
      );
    } catch (cause) {
      throw (await this.#refusal(path)) ?? cause;
    }
    const old = (await readdir(directory)).filter((name) => name.startsWith('dnsmasq-') && name !== conf);
    await Promise.all(old.map((name) => rm(join(directory, name), { force: true })));
  }

  /** What dnsmasq says against its configuration, if that is why it did not start. */
  async #refusal(path: string): Promise<Error | undefined> {
    try {
      await this.#home.run(['dnsmasq', '--test', `--conf-file=${path}`]);
      return undefined;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'dnsmasq', reason }, { cause });
    }
  }
}
