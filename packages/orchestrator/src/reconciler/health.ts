import type { ResourceKey, ResourceKind } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Driver } from '../drivers/driver.ts';
import { Phase } from '../lifecycle/phase.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock } from '../queue/clock.ts';
import { Priority } from '../queue/priority.ts';
import type { Breaker } from './breaker.ts';
import { nameOf, type Observed } from './observed.ts';
import type { Records } from './record.ts';

export interface HealthOptions {
  readonly provider: Provider;
  readonly drivers: ReadonlyMap<ResourceKind, Driver>;
  readonly observed: Observed;
  readonly records: Records;
  readonly breaker: Breaker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly add: (key: ResourceKey, priority: Priority) => void;
  /** The provider answers again: what backed off because of it may go on. */
  readonly wake: () => void;
  readonly times: HealthTimes;
}

/** Milliseconds. */
export interface HealthTimes {
  /** Between two listings. */
  readonly interval: number;
  /** Between two listings while the provider does not answer. */
  readonly away: number;
  /** Between two rounds in which every resource is looked at. Costs a comparison each; Neutron is not asked. */
  readonly resync: number;
  /** Deadline of a listing. */
  readonly list: number;
}

export const defaultHealthTimes: HealthTimes = { interval: 3_000, away: 500, resync: 30_000, list: 10_000 };

/**
 * Lists the provider's instances again and again, and queues the resources whose instances are not what they should be:
 * died, vanished, were left over, changed behind our back. Also the timer that brings everything up now and then.
 */
export class Health {
  readonly #options: HealthOptions;
  #cancel: (() => void) | undefined;
  #listing: Promise<void> | undefined;
  #doubt = false;
  #stopped = false;
  #reason: string | undefined = 'the host agent has not been asked yet';
  #lastResync = Number.NEGATIVE_INFINITY;
  readonly #filled = new Set<ResourceKind>();
  #interval: number;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#interval = options.times.interval;
  }

  /** Resolves after the first listing, whether it succeeded or not. */
  start(): Promise<void> {
    return this.check();
  }

  /** Waits for a listing under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#listing;
  }

  /** Why the provider is thought to be away; undefined while it answers. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Milliseconds between two listings from now on; the next is that far from now, unless it is wanted sooner. */
  every(interval: number): void {
    if (interval === this.#interval) return;
    this.#interval = interval;
    const waits = this.#cancel !== undefined && this.#listing === undefined;
    if (waits && !this.#doubt && this.#reason === undefined) this.#schedule(interval);
  }

  /** Lists soon, because an operation failed. Many doubts are one listing. */
  doubt(): void {
    if (this.#doubt || this.#stopped) return;
    this.#doubt = true;
    this.#schedule(50);
  }

  /** Lists now, or waits for the listing under way. Never rejects. */
  check(): Promise<void> {
    this.#listing ??= this.#check().finally(() => {
      this.#listing = undefined;
      this.#schedule(this.#reason === undefined ? this.#interval : this.#options.times.away);
    });
    return this.#listing;
  }

  #schedule(ms: number): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(ms, () => void this.check());
  }

  async #check(): Promise<void> {
    const { provider, observed, breaker, clock, log, times, add, wake } = this.#options;
    this.#doubt = false;
    const begun = observed.beginList();
    let changed: ResourceKey[];
    try {
      changed = observed.replace(await provider.list(AbortSignal.timeout(times.list)), begun);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#reason !== reason) log.warn({ reason }, 'the instances cannot be listed');
      this.#reason = reason;
      return;
    }
    if (this.#reason !== undefined) {
      this.#reason = undefined;
      log.info({ provider: provider.name }, 'the provider answers');
      wake();
      this.#lastResync = Number.NEGATIVE_INFINITY;
    }
    const all = [...observed.all()];
    if (breaker.judge(all.filter(({ state }) => state === 'dead').length, all.length)) {
      if (breaker.open) log.error({ reason: breaker.reason }, 'dead instances are not rebuilt');
      else log.info('dead instances are rebuilt again');
    }
    for (const key of changed) add(key, Priority.health);
    this.#queueWrong();
    if (clock.now() >= this.#lastResync + times.resync) this.resync();
  }

  /** Those of which something must be made, destroyed or rebuilt: each time, in case the queue has lost sight of them. */
  #queueWrong(): void {
    const { drivers, observed } = this.#options;
    for (const [kind, driver] of drivers) {
      const resources = driver.resources();
      if (resources === undefined) continue;
      if (!this.#filled.has(kind)) {
        this.#filled.add(kind);
        this.#lastResync = Number.NEGATIVE_INFINITY;
      }
      const wanted = new Set(resources.map(nameOf));
      for (const key of resources) if (observed.of(key)?.length === 0) this.#nudge(key);
      for (const { resource, state } of observed.all()) {
        if (resource.kind === kind && (state === 'dead' || !wanted.has(nameOf(resource)))) this.#nudge(resource);
      }
    }
  }

  /** What only an event or a resync can mend is left alone. */
  #nudge(key: ResourceKey): void {
    const { records, add } = this.#options;
    const record = records.get(key);
    if (record?.phase !== Phase.ERROR && record?.lastError?.retry !== 'terminal') add(key, Priority.health);
  }

  /** Queues all that is wanted, all that is there, and all that was looked at before either was known. */
  resync(): void {
    const { drivers, observed, records, clock, add } = this.#options;
    this.#lastResync = clock.now();
    for (const driver of drivers.values()) {
      for (const key of driver.resources() ?? []) add(key, Priority.resync);
    }
    for (const { resource } of observed.all()) add(resource, Priority.resync);
    for (const { key } of records.all()) add(key, Priority.resync);
  }
}
