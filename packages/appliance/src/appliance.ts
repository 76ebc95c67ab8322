import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { AstaraError } from '@astara/model/error.ts';
import type { ServiceStatus } from '@astara/model/instance.ts';
import { observe } from './apply/observe.ts';
import { plan } from './apply/plan.ts';
import { compile, type State } from './apply/state.ts';
import { type DoneStep, type Runners, transact } from './apply/transaction.ts';
import { errors } from './errors.ts';
import type { Home } from './home.ts';
import { type Log, silent } from './log.ts';
import { Announcer } from './services/announce/announcer.ts';
import { DhcpRunner } from './services/dhcp/runner.ts';
import { observeFirewall } from './services/firewall/observe.ts';
import { planFirewall } from './services/firewall/plan.ts';
import { closedFirewall } from './services/firewall/state.ts';
import { noLinks } from './services/link/state.ts';
import { MetadataProxy } from './services/metadata/proxy.ts';
import { RaRunner } from './services/ra/runner.ts';
import { readState, writeState } from './state-file.ts';
import { Supervisor } from './supervisor.ts';

export interface ApplianceOptions {
  /** Where the configuration in force is kept. Not inside the run directory, which daemons see. */
  readonly stateFile: string;
  /** Looks after the daemons; one for all appliances of a process. Default: one of its own. */
  readonly supervisor?: Supervisor;
  readonly log?: Log;
}

/** What an apply has done. */
export interface ApplyReport {
  readonly generation: number;
  readonly etag: string;
  /** Empty when everything was in force already. */
  readonly steps: readonly DoneStep[];
  /** Milliseconds, waiting for an earlier apply left out. */
  readonly ms: number;
  /** What was left out because it cannot be had, such as a route through nowhere. */
  readonly warnings: readonly string[];
}

/**
 * The appliance core: has a configuration in force in its home. The data plane does not need it; it may end and
 * another one {@link adopt}s what runs.
 */
export class Appliance {
  readonly #home: Home;
  readonly #stateFile: string;
  readonly #log: Log;
  readonly #supervisor: Supervisor;
  readonly #ownsSupervisor: boolean;
  readonly #runners: Runners;
  readonly #announcer: Announcer;
  #config: ApplianceConfig | undefined;
  #applied: { generation: number; etag: string } | null = null;
  /** What {@link #config} asks for. */
  #state: State | undefined;
  /** The interfaces of which {@link #state} is known to be true; undefined: look before the next step. */
  #trusted: string | undefined;
  #failure: { service: string; message: string } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(home: Home, options: ApplianceOptions) {
    this.#home = home;
    this.#stateFile = options.stateFile;
    this.#log = options.log ?? silent;
    this.#ownsSupervisor = options.supervisor === undefined;
    this.#supervisor = options.supervisor ?? new Supervisor();
    const daemon = { home, supervisor: this.#supervisor };
    this.#runners = {
      netns: home.netns,
      dhcp: new DhcpRunner({ ...daemon, revive: () => this.#revive('dhcp') }),
      ra: new RaRunner({ ...daemon, revive: () => this.#revive('ra') }),
      metadata: new MetadataProxy(home.netns, this.#log),
      log: this.#log,
    };
    this.#announcer = new Announcer(home.netns, this.#log);
  }

  /**
   * Takes over what lives in this home. Without a configuration in force everything is dropped afterwards; with one,
   * what differs from it is repaired, and what runs as it should is left alone. That a repair failed shows in
   * {@link status}; the next apply or {@link repair} tries again.
   */
  static async adopt(home: Home, options: ApplianceOptions): Promise<Appliance> {
    const appliance = new Appliance(home, options);
    try {
      await appliance.#serially(() => appliance.#adopt());
    } catch (error) {
      await appliance.close();
      throw error;
    }
    return appliance;
  }

  /** What is in force; null before the first commit. */
  get applied(): { readonly generation: number; readonly etag: string } | null {
    return this.#applied;
  }

  get home(): Home {
    return this.#home;
  }

  config(): ApplianceConfig | undefined {
    return this.#config;
  }

  /** `config` has been validated (`@astara/model/appliance/rules.ts`). It is in force afterwards, or the one before it still is. */
  apply(config: ApplianceConfig): Promise<ApplyReport> {
    return this.#serially(() => {
      const generation = config.generation ?? 0;
      const applied = this.#applied?.generation ?? 0;
      if (generation < applied) throw errors.make('APPLIANCE_GENERATION_OLD', { given: generation, applied });
      return this.#apply(config);
    });
  }

  /** Looks at what is really there and mends what differs from the configuration in force. */
  repair(): Promise<ApplyReport | undefined> {
    return this.#serially(async () => {
      this.#trusted = undefined;
      return this.#config === undefined ? undefined : this.#apply(this.#config);
    });
  }

  async status(): Promise<ServiceStatus[]> {
    const { dhcp, ra, metadata } = this.#runners;
    const inForce = this.#applied !== null;
    const state = this.#state;
    const all = [
      { name: 'link', wanted: inForce, running: inForce },
      { name: 'firewall', wanted: true, running: !this.#closed },
      { name: 'dhcp', wanted: wanted(state?.dhcp), running: dhcp.running },
      { name: 'ra', wanted: wanted(state?.ra), running: ra.running },
      { name: 'metadata', wanted: wanted(state?.metadata), running: metadata.running },
    ];
    const failure = this.#failure;
    return all.map((service) =>
      failure?.service === service.name || (failure?.service === 'appliance' && service.name === 'link')
        ? { ...service, error: failure.message }
        : service,
    );
  }

  /** Lets go: daemons run on, metadata requests are not answered until the next one adopts. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue;
    this.#announcer.close();
    this.#runners.dhcp.release();
    this.#runners.ra.release();
    await this.#runners.metadata.close();
    if (this.#ownsSupervisor) this.#supervisor.close();
  }

  async #adopt(): Promise<void> {
    const stored = readState(this.#stateFile, this.#log);
    if (stored === undefined) {
      await this.#runners.dhcp.adopt(undefined);
      await this.#runners.ra.adopt();
      const found = await observeFirewall(this.#home.netns);
      const script = planFirewall(found, found.table ? found : closedFirewall);
      if (script !== '') await this.#home.netns.nft(script);
      return;
    }
    this.#config = stored;
    this.#applied = { generation: stored.generation ?? 0, etag: configEtag(stored) };
    this.#state = compile(stored, this.#home.runDirInside, []);
    await this.#runners.dhcp.adopt(this.#state.dhcp.unknown ? undefined : this.#state.dhcp.value);
    await this.#runners.ra.adopt();
    try {
      await this.#apply(stored);
    } catch (error) {
      this.#log.error({ err: error }, 'adopted with differences');
    }
  }

  async #apply(config: ApplianceConfig): Promise<ApplyReport> {
    const start = performance.now();
    const warnings: string[] = [];
    const after = compile(config, this.#home.runDirInside, warnings, this.#state);
    const applied = { generation: config.generation ?? 0, etag: configEtag(config) };
    const interfaces = await this.#interfaces(after);
    const before = await this.#before(after, interfaces);
    const steps = plan(before, after);
    this.#trusted = undefined; // until it is done
    try {
      const done = await transact(steps, this.#runners, () => {
        if (config !== this.#config) writeState(this.#stateFile, config);
      });
      this.#config = config;
      this.#applied = applied;
      this.#state = after;
      this.#trusted = interfaces;
      this.#failure = undefined;
      this.#announce(before, after);
      const ms = Math.round((performance.now() - start) * 1000) / 1000;
      const report = { ...applied, steps: done, ms, warnings };
      this.#log.info({ generation: applied.generation, steps: done, ms, warnings }, 'configuration applied');
      return report;
    } catch (error) {
      this.#failure = {
        service: failedService(error),
        message: error instanceof Error ? error.message : String(error),
      };
      throw error;
    }
  }

  /** The interfaces of the configuration by name and index: an interface that was made anew has lost what it had. */
  async #interfaces(after: State): Promise<string> {
    const links = new Map((await this.#home.netns.links()).map((link) => [link.ifname, link.index]));
    return [...after.links.interfaces.keys()]
      .map((ifname) => {
        const index = links.get(ifname);
        if (index === undefined) throw errors.make('APPLIANCE_INTERFACE_MISSING', { ifname });
        return `${ifname}=${index}`;
      })
      .join(' ');
  }

  /** What is in force, as far as it is certain; otherwise as the kernel says. */
  async #before(after: State, interfaces: string): Promise<State> {
    const trusted = new Set(this.#trusted?.split(' '));
    const former = this.#state;
    const same = former !== undefined && this.#trusted !== undefined;
    // A new interface has nothing, so that only one that was there before can surprise.
    const surprise = interfaces.split(' ').some((entry) => {
      const ifname = entry.slice(0, entry.lastIndexOf('='));
      return !trusted.has(entry) && former?.links.interfaces.has(ifname);
    });
    if (same && !surprise) return former;
    const ours = new Set([...after.links.addresses.keys(), ...(former?.links ?? noLinks).addresses.keys()]);
    return observe(this.#home.netns, ours);
  }

  #announce(before: State, after: State): void {
    const fresh = new Map<string, string[]>();
    for (const [key, { ifname, cidr }] of after.links.addresses) {
      if (before.links.addresses.has(key)) continue;
      const address = cidr.slice(0, cidr.indexOf('/'));
      fresh.set(ifname, [...(fresh.get(ifname) ?? []), address]);
    }
    if (fresh.size === 0) return;
    const keys = new Set<string>();
    const collect = () => {
      keys.clear();
      for (const { ifname, cidr } of this.#state?.links.addresses.values() ?? []) {
        keys.add(`${ifname} ${cidr.slice(0, cidr.indexOf('/'))}`);
      }
      return this.#state;
    };
    let seen: State | undefined;
    this.#announcer.announce(fresh, (ifname, address) => {
      if (seen !== this.#state) seen = collect();
      return keys.has(`${ifname} ${address}`);
    });
  }

  #revive(service: 'dhcp' | 'ra'): void {
    this.#serially(async () => {
      const { dhcp, ra } = this.#runners;
      const state = this.#state;
      if (state === undefined) return;
      this.#log.warn({ service }, 'daemon ended, starting it again');
      if (service === 'dhcp') await dhcp.revive(state.dhcp.unknown ? undefined : state.dhcp.value);
      else await ra.revive(state.ra.unknown ? undefined : state.ra.value);
    }).catch((error: unknown) => {
      if (!this.#closed) this.#log.error({ err: error, service }, 'daemon could not be started again');
    });
  }

  /** One thing at a time, in the order of the calls. */
  #serially<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(errors.make('APPLIANCE_CLOSED'));
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

function wanted(service: State['dhcp'] | State['ra'] | State['metadata'] | undefined): boolean {
  return service !== undefined && !service.unknown && service.value !== undefined;
}

function failedService(error: unknown): string {
  const known = error instanceof AstaraError ? /of service (\w+) failed/.exec(error.message)?.[1] : undefined;
  return known ?? 'appliance';
}
