import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon, type DaemonOptions } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import type { Home } from '../../home.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { until } from '../../processes.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import { owners } from './desired.ts';
import { movedAddresses, orphanedLeases, parseLeases, staleLeases, withoutLeases } from './leases.ts';
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
export class DhcpRunner {
  readonly #home: Home;
  readonly #daemon: Daemon;
  readonly #here: DhcpPaths;

  constructor(options: Omit<DaemonOptions, 'program'>) {
    this.#home = options.home;
    this.#daemon = new Daemon({ ...options, program: 'dnsmasq' });
    this.#here = dhcpPaths(options.home.runDir);
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  /** Finds the dnsmasq of an earlier agent. */
  async adopt(state: DhcpState | undefined): Promise<void> {
    const wanted = state === undefined ? '' : confName(state.files);
    await this.#daemon.adopt((argv) => argv.some((argument) => argument.endsWith(`/${wanted}`)));
  }

  /** Makes it so. `before` is what it was told last; without it everything is compared with the files. */
  async ensure(state: DhcpState | undefined, before: DhcpState | undefined): Promise<void> {
    if (state === undefined) {
      await this.#daemon.stop();
      await rm(join(this.#home.runDir, DIRECTORY), { recursive: true, force: true });
      return;
    }
    await mkdir(join(this.#home.runDir, DIRECTORY), { recursive: true, mode: 0o755 });
    await this.#write('hosts', state, before);
    await this.#write('options', state, before);
    await this.#write('names', state, before);

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
  release(): void {
    this.#daemon.release();
  }

  async #write(name: 'hosts' | 'options' | 'names', state: DhcpState, before: DhcpState | undefined): Promise<void> {
    const text = state.files[name];
    const found = before === undefined ? await readIfPresent(this.#here[name]) : before.files[name];
    if (found !== text) await writeAtomically(this.#here[name], text);
  }

  /**
   * Tells dnsmasq, in the name of those who have an address no more, that they give up their leases. It is a program of
   * dnsmasq-utils: without it only the names of gone ports live on until their leases end.
   */
  async #release(state: DhcpState, before: DhcpState | undefined): Promise<void> {
    const same = [...(before?.owners ?? [])].every(([address, mac]) => state.owners.get(address) === mac);
    if (before !== undefined && same) return;
    const find = async () => {
      const text = await readIfPresent(this.#here.leases);
      return text === undefined ? [] : orphanedLeases(parseLeases(text), state.owners);
    };
    const orphaned = (await find()).slice(0, MAX_RELEASES);
    const released = orphaned.map(async ({ address, mac }) => {
      const ifname = state.subnets.find(address);
      if (ifname !== undefined) await this.#home.run(['dhcp_release', ifname, address, mac]);
    });
    const failed = (await Promise.allSettled(released)).some(({ status }) => status === 'rejected');
    if (!failed && orphaned.length > 0) await until(async () => (await find()).length === 0, RELEASE_TIMEOUT);
  }

  async #stale(state: DhcpState, before: DhcpState | undefined) {
    const moved = before === undefined ? new Set<string>() : movedAddresses(before.owners, state.owners);
    if (before !== undefined && moved.size === 0) return [];
    const text = await readIfPresent(this.#here.leases);
    return text === undefined ? [] : staleLeases(parseLeases(text), state.owners, moved);
  }

  async #restart(state: DhcpState, before: DhcpState | undefined, conf: string): Promise<void> {
    const directory = join(this.#home.runDir, DIRECTORY);
    await writeAtomically(join(directory, conf), state.files.conf);
    await this.#daemon.stop();
    const stale = await this.#stale(state, before);
    if (stale.length > 0) {
      const text = (await readIfPresent(this.#here.leases)) ?? '';
      await writeAtomically(this.#here.leases, withoutLeases(text, stale));
    }
    await rm(this.#here.pid, { force: true });
    const path = join(this.#home.runDirInside, DIRECTORY, conf);
    try {
      // dnsmasq writes its pid once its sockets are bound.
      await this.#daemon.start(['dnsmasq', '--keep-in-foreground', `--conf-file=${path}`], async () => {
        return ((await readIfPresent(this.#here.pid)) ?? '') !== '';
      });
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
