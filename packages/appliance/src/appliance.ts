import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { AstaraError } from '@astara/model/error.ts';
import type { ServiceStatus } from '@astara/model/instance.ts';
import { Applier } from './apply/applier.ts';
import type { Step } from './apply/plan.ts';
import type { DoneStep } from './apply/transaction.ts';
import { Confirmation } from './confirmation.ts';
import { errors } from './errors.ts';
import { EventLog } from './events.ts';
import type { Home } from './home.ts';
import { type Log, silent } from './log.ts';
import { type Checked, SelfCheck, type ServiceCheck } from './self-check.ts';
import type { Runner, Service } from './services/service.ts';
import { services } from './services/services.ts';
import { ConfigStore, type Pending, type Revision } from './store.ts';
import { Supervisor } from './supervisor.ts';

export interface ApplianceOptions {
  /** Where the configuration in force is kept; its history lies beside it. Not inside the run directory, which daemons see. */
  readonly stateFile: string;
  /** Looks after the daemons; one for all appliances of a process. Default: one of its own. */
  readonly supervisor?: Supervisor;
  readonly log?: Log;
}

export interface ApplyOptions {
  /** Refused with APPLIANCE_ETAG_MISMATCH unless this configuration is in force. */
  readonly ifMatch?: string;
  /** Given up again unless {@link Appliance.confirm} is called within so many ms (RFC 6241 §8.4). */
  readonly confirmWithin?: number;
  /** Looks at the world as clients see it before it answers. Default false: a second or two later. */
  readonly check?: boolean;
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
  /** Only when asked for. */
  readonly checks?: readonly ServiceCheck[];
}

export interface DryRun {
  readonly etag: string;
  readonly steps: readonly Step[];
  readonly warnings: readonly string[];
}

/** Between two comparisons of the world with the configuration. ms */
const AUDIT_INTERVAL = 60_000;

/**
 * The appliance core: has a configuration in force in its home. The data plane does not need it; it may end and
 * another one {@link adopt}s what runs.
 */
export class Appliance {
  /** What happened, for those who watch. */
  readonly events = new EventLog();
  readonly home: Home;
  readonly #log: Log;
  readonly #supervisor: Supervisor;
  readonly #ownsSupervisor: boolean;
  readonly #store: ConfigStore;
  readonly #applier: Applier;
  readonly #confirmation = new Confirmation();
  readonly #selfCheck: SelfCheck;
  readonly #audit: NodeJS.Timeout;
  #config: ApplianceConfig | undefined;
  #revision: Revision | undefined;
  #candidate: ApplianceConfig | undefined;
  #failure: { service: string; message: string } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(home: Home, options: ApplianceOptions) {
    this.home = home;
    const log = options.log ?? silent;
    this.#log = log;
    this.#store = new ConfigStore(options.stateFile, log);
    this.#ownsSupervisor = options.supervisor === undefined;
    const supervisor = options.supervisor ?? new Supervisor();
    this.#supervisor = supervisor;
    const context = (service: string) => ({
      home,
      supervisor,
      log,
      revive: () => this.#revive(service),
      emit: (event: string, data: Readonly<Record<string, unknown>>) => this.events.emit(event, { service, ...data }),
    });
    this.#applier = new Applier({ home, services, log, context });
    this.#selfCheck = new SelfCheck((signal) => this.#applier.check(signal), log, this.events);
    // Spread, so that the appliances of one process do not all look at the same time.
    this.#audit = setInterval(
      () => void this.audit().catch(() => undefined),
      AUDIT_INTERVAL * (0.75 + Math.random() / 2),
    );
    this.#audit.unref();
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
    if (this.#revision === undefined) return null;
    const { generation, etag } = this.#revision;
    return { generation, etag };
  }

  /** The same, with the time since when. */
  get revision(): Revision | undefined {
    return this.#revision;
  }

  /** Whether what is in force is still to be confirmed. */
  get pending(): Pending | undefined {
    return this.#confirmation.pending;
  }

  /** What the last self-check saw; it follows every change. */
  get checked(): Checked | undefined {
    return this.#selfCheck.last;
  }

  config(): ApplianceConfig | undefined {
    return this.#config;
  }

  /** What was put aside by {@link stage}. */
  get candidate(): ApplianceConfig | undefined {
    return this.#candidate;
  }

  /** Puts a configuration aside, to be looked at and then committed by {@link apply}. It is forgotten when the process ends. */
  stage(config: ApplianceConfig | undefined): void {
    this.#candidate = config;
  }

  /** The runner of a service, for what only that service knows: leases, counters. */
  runner<S, C, R extends Runner<S, C>>(service: Service<S, C, R>): R {
    return this.#applier.runner(service.name) as unknown as R;
  }

  /** `config` has been validated (`@astara/model/appliance/rules.ts`). It is in force afterwards, or the one before it still is. */
  apply(config: ApplianceConfig, options: ApplyOptions = {}): Promise<ApplyReport> {
    return this.#serially(() => {
      this.#admit(config, options);
      return this.#apply(config, options);
    });
  }

  /** What {@link apply} would do. */
  plan(config: ApplianceConfig, options: Pick<ApplyOptions, 'ifMatch'> = {}): Promise<DryRun> {
    return this.#serially(() => {
      this.#admit(config, options);
      return this.#applier.dryRun(config);
    });
  }

  /** What is in force stays. */
  confirm(): Promise<void> {
    return this.#serially(async () => {
      const { pending } = this;
      if (pending === undefined) throw errors.make('APPLIANCE_NOTHING_PENDING');
      this.#store.confirm();
      this.#confirmation.end();
      this.events.emit('confirmed', { etag: pending.etag });
    });
  }

  /** What is in force and not confirmed is given up. */
  cancel(): Promise<ApplyReport | undefined> {
    return this.#serially(() => {
      if (this.pending === undefined) throw errors.make('APPLIANCE_NOTHING_PENDING');
      return this.#giveUp('cancelled');
    });
  }

  /** Configurations that were in force before, the latest first. */
  history(): readonly Revision[] {
    return this.#store.history();
  }

  /** One that is or was in force. */
  find(etag: string): ApplianceConfig | undefined {
    return this.#revision?.etag === etag ? this.#config : this.#store.find(etag);
  }

  /** An earlier configuration is in force again, under the generation of the present one. */
  rollback(etag: string, options: ApplyOptions = {}): Promise<ApplyReport> {
    return this.#serially(() => {
      this.#match(options);
      const config = this.#store.find(etag);
      if (config === undefined)
        throw errors.make('APPLIANCE_NOT_FOUND', { what: `configuration ${etag} in the history` });
      return this.#apply({ ...config, generation: this.#revision?.generation ?? 0 }, options);
    });
  }

  /** What somebody has changed by hand, as the steps that would mend it. */
  drift(): Promise<readonly Step[]> {
    return this.#serially(() => this.#applier.drift());
  }

  /** Looks at what is really there and mends what differs from the configuration in force. */
  repair(): Promise<ApplyReport | undefined> {
    return this.#serially(() => this.#repair());
  }

  /** {@link repair}s when there is something to mend, and says what; done by itself every minute. */
  audit(): Promise<readonly Step[]> {
    return this.#serially(async () => {
      const drift = await this.#applier.drift();
      if (drift.length === 0) return drift;
      const steps = drift.map(({ service, what }) => ({ service, what }));
      this.#log.warn({ steps }, 'the world differs from the configuration in force');
      this.events.emit('drift', { steps });
      await this.#repair();
      return drift;
    });
  }

  /** Whether the world does what is asked, as clients see it. */
  check(): Promise<readonly ServiceCheck[]> {
    return this.#selfCheck.run();
  }

  async status(): Promise<ServiceStatus[]> {
    const failure = this.#failure;
    const all = [...(await this.#applier.health())];
    return all.map(([name, health], index) => {
      const failed = failure?.service === name || (failure?.service === 'appliance' && index === 0);
      return { name, ...health, ...(failed ? { error: failure.message } : {}) };
    });
  }

  /** Lets go: daemons run on, metadata requests are not answered until the next one adopts. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#audit);
    this.#confirmation.end();
    this.#selfCheck.close();
    this.events.close();
    await this.#queue;
    await this.#applier.release();
    if (this.#ownsSupervisor) this.#supervisor.close();
  }

  async #adopt(): Promise<void> {
    const stored = this.#store.read();
    await this.#applier.adopt(stored?.config);
    if (stored === undefined) return;
    const { config, applied_at } = stored;
    this.#config = config;
    this.#revision = { generation: config.generation ?? 0, etag: configEtag(config), applied_at };
    const pending = this.#store.pending(this.#revision.etag);
    if (pending !== undefined) this.#await(pending);
    try {
      await this.#repair();
    } catch (error) {
      this.#log.error({ err: error }, 'adopted with differences');
    }
  }

  #admit(config: ApplianceConfig, options: Pick<ApplyOptions, 'ifMatch'>): void {
    this.#match(options);
    const given = config.generation ?? 0;
    const applied = this.#revision?.generation ?? 0;
    if (given < applied) throw errors.make('APPLIANCE_GENERATION_OLD', { given, applied });
  }

  #match({ ifMatch }: Pick<ApplyOptions, 'ifMatch'>): void {
    const inForce = this.#revision?.etag ?? 'none';
    if (ifMatch === undefined || ifMatch === inForce) return;
    throw errors.make('APPLIANCE_ETAG_MISMATCH', { given: ifMatch, applied: inForce });
  }

  async #repair(): Promise<ApplyReport | undefined> {
    this.#applier.distrust();
    return this.#config === undefined ? undefined : this.#apply(this.#config, {});
  }

  async #apply(config: ApplianceConfig, options: ApplyOptions): Promise<ApplyReport> {
    const before = this.#revision;
    let revision = before;
    let pending: Pending | undefined;
    try {
      const applied = await this.#applier.apply(config, (etag) => {
        if (config === this.#config) return;
        const applied_at = etag === before?.etag ? before.applied_at : new Date().toISOString();
        revision = { generation: config.generation ?? 0, etag, applied_at };
        if (options.confirmWithin !== undefined) {
          const confirm_by = new Date(Date.now() + options.confirmWithin).toISOString();
          // Of two unconfirmed ones in a row, both are given up.
          pending = { etag, confirm_by, previous: this.pending?.previous ?? before ?? null };
        }
        this.#store.write(config, revision, before, pending);
      });
      if (config !== this.#config) this.#confirmation.end();
      this.#config = config;
      this.#revision = revision;
      this.#failure = undefined;
      if (pending !== undefined) this.#await(pending);
      const { generation = 0, etag = '' } = revision ?? {};
      const done = { generation, etag, steps: applied.steps, ms: applied.ms, warnings: applied.warnings };
      this.#log.info({ generation, steps: done.steps, ms: done.ms, warnings: done.warnings }, 'configuration applied');
      this.events.emit('applied', { ...done });
      if (options.check === true) return { ...done, checks: await this.check() };
      this.#selfCheck.soon();
      return done;
    } catch (error) {
      const failure = {
        service: failedService(error),
        message: error instanceof Error ? error.message : String(error),
      };
      this.#failure = failure;
      this.events.emit('apply-failed', failure);
      throw error;
    }
  }

  #await(pending: Pending): void {
    this.#confirmation.await(pending, () => {
      this.#serially(() => this.#giveUp('not confirmed in time')).catch((error: unknown) => {
        this.#log.error({ err: error }, 'the unconfirmed configuration could not be given up');
      });
    });
  }

  /** Back to what was in force before. */
  async #giveUp(reason: string): Promise<ApplyReport | undefined> {
    const { pending } = this;
    if (pending === undefined) return undefined;
    const { previous, etag } = pending;
    const config = previous === null ? nothing(this.#config) : this.#store.find(previous.etag);
    if (config === undefined)
      throw errors.make('APPLIANCE_NOT_FOUND', { what: `configuration ${previous?.etag} in the history` });
    const report = await this.#apply(config, {});
    if (previous === null) {
      this.#store.clear();
      this.#config = undefined;
      this.#revision = undefined;
    }
    this.#log.warn({ etag, reason }, 'configuration given up');
    this.events.emit('reverted', { etag, reason, to: previous?.etag ?? null });
    return report;
  }

  #revive(service: string): void {
    this.#serially(async () => {
      this.events.emit('daemon-ended', { service });
      await this.#applier.revive(service);
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

/** A configuration that asks for nothing. */
function nothing(config: ApplianceConfig | undefined): ApplianceConfig {
  const { hostname = 'appliance', tenant_id = '0' } = config ?? {};
  return { hostname, tenant_id, networks: [], floating_ips: [] };
}

function failedService(error: unknown): string {
  const known = error instanceof AstaraError ? /of service (\w+) failed/.exec(error.message)?.[1] : undefined;
  return known ?? 'appliance';
}
