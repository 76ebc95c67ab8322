import { isDeepStrictEqual } from 'node:util';
import type { ResourceKey, ResourceKind } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Appliances } from '../appliance-client/client.ts';
import type { Driver } from '../drivers/driver.ts';
import { errors } from '../errors.ts';
import { Phase } from '../lifecycle/phase.ts';
import type { Metrics } from '../metrics.ts';
import type { Provider } from '../providers/provider.ts';
import { type Backoff, defaultBackoff } from '../queue/backoff.ts';
import { type Clock, systemClock } from '../queue/clock.ts';
import { Priority, priorityNames } from '../queue/priority.ts';
import { type QueueMeter, WorkQueue } from '../queue/work-queue.ts';
import { Breaker, type BreakerOptions } from './breaker.ts';
import { defaultHealthTimes, Health, type HealthTimes } from './health.ts';
import { nameOf, Observed } from './observed.ts';
import { defaultLimits, type Limits, Reconciler } from './reconciler.ts';
import { type Record, Records } from './record.ts';
import { type ResourceState, resourceState } from './resource-state.ts';

/** What may change while it runs. */
export interface EngineSettings {
  /** Resources worked on at once; default 8. */
  readonly workers: number;
  readonly backoff: Backoff;
  /** Milliseconds between two listings of the provider. */
  readonly healthInterval: number;
}

export interface EngineOptions extends Partial<Pick<EngineSettings, 'workers' | 'backoff'>> {
  readonly drivers: readonly Driver[];
  readonly provider: Provider;
  readonly appliances: Appliances;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly health?: Partial<HealthTimes>;
  readonly limits?: Partial<Limits>;
  readonly breaker?: BreakerOptions;
  readonly clock?: Clock;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Queue, reconciler and health check, put together: from a key to an instance that is as it must be. */
export class Engine {
  readonly #drivers: ReadonlyMap<ResourceKind, Driver>;
  readonly #queue: WorkQueue<ResourceKey>;
  readonly #reconciler: Reconciler;
  readonly #health: Health;
  readonly #breaker: Breaker;
  readonly #records: Records;
  readonly #observed = new Observed();
  #backoff: Backoff;

  constructor(options: EngineOptions) {
    const { provider, appliances, metrics, log, workers = 8, clock = systemClock, now = Date.now } = options;
    this.#drivers = new Map(options.drivers.map((driver) => [driver.kind, driver]));
    this.#backoff = options.backoff ?? defaultBackoff;
    this.#breaker = new Breaker(options.breaker);
    this.#records = new Records(now);
    const shared = { provider, drivers: this.#drivers, observed: this.#observed, records: this.#records, log };
    this.#reconciler = new Reconciler({
      ...shared,
      appliances,
      breaker: this.#breaker,
      metrics,
      now,
      limits: { ...defaultLimits, ...options.limits },
      onDoubt: () => this.#health.doubt(),
    });
    this.#queue = new WorkQueue<ResourceKey>({
      nameOf,
      workers,
      reserved: reservedOf(workers),
      clock,
      meter: meterOf(metrics),
      backoff: this.#backoff,
      work: (key, run) => this.#reconciler.reconcile(key, run),
    });
    this.#health = new Health({
      ...shared,
      breaker: this.#breaker,
      clock,
      times: { ...defaultHealthTimes, ...options.health },
      add: (key, priority) => this.enqueue(key, priority),
      wake: () => this.#queue.wake(),
    });
    metrics.beforeScrape(() => this.#measure(metrics));
  }

  get kinds(): readonly ResourceKind[] {
    return [...this.#drivers.keys()];
  }

  /** Begins to watch. Resolves after the first listing of the provider, whether it succeeded or not. */
  start(): Promise<void> {
    return this.#health.start();
  }

  /** Takes nothing more; waits for what is under way, at most `deadline` ms. The data plane is not touched. */
  async stop(deadline: number): Promise<void> {
    await Promise.all([this.#queue.close(deadline), this.#health.stop()]);
  }

  /** From now on. What backs off is tried again at once when its back-off has changed. */
  configure({ workers, backoff, healthInterval }: EngineSettings): void {
    this.#queue.configure({ workers, reserved: reservedOf(workers), backoff });
    if (!isDeepStrictEqual(backoff, this.#backoff)) this.#queue.wake();
    this.#backoff = backoff;
    this.#health.every(healthInterval);
  }

  /** The one way in: look at this resource. */
  enqueue(key: ResourceKey, priority: Priority): void {
    this.#queue.add(key, { priority });
  }

  /** Look at everything: after the mirror was filled, after a reconnection. */
  resync(): void {
    this.#health.resync();
  }

  /** A new instance for the resource, in place of the one it has. Throws RESOURCE_NOT_FOUND. */
  rebuild(key: ResourceKey): ResourceState {
    const known = this.#known(key);
    this.#reconciler.askRebuild(key);
    this.enqueue(key, Priority.user);
    return this.#state(known);
  }

  /** Look at the resource now. Throws RESOURCE_NOT_FOUND. */
  poll(key: ResourceKey): ResourceState {
    const known = this.#known(key);
    this.enqueue(key, Priority.user);
    return this.#state(known);
  }

  resetBreaker(): void {
    this.#breaker.reset();
    void this.#health.check();
  }

  resources(): ResourceState[] {
    return [...this.#records.all()].map((record) => this.#state(record));
  }

  /** Throws RESOURCE_NOT_FOUND. */
  resource(key: ResourceKey): ResourceState {
    return this.#state(this.#known(key));
  }

  /** Why the provider is thought to be away; undefined while it answers. */
  get providerReason(): string | undefined {
    return this.#health.reason;
  }

  /** Why dead instances are not rebuilt; undefined when they are. */
  get breakerReason(): string | undefined {
    return this.#breaker.reason;
  }

  /** Whether nothing waits, backs off or is under way. */
  get idle(): boolean {
    const { running, delayed } = this.#queue;
    return running === 0 && delayed === 0 && Object.values(Priority).every((one) => this.#queue.depth(one) === 0);
  }

  #known(key: ResourceKey): Record {
    const record = this.#records.get(key);
    if (record === undefined) throw errors.make('RESOURCE_NOT_FOUND', { kind: key.kind, id: key.id });
    return record;
  }

  #state(record: Record): ResourceState {
    return resourceState(record, this.#observed.of(record.key) ?? [], this.#queue.where(record.key));
  }

  #measure(metrics: Metrics): void {
    for (const priority of Object.values(Priority)) {
      metrics.queueDepth.set({ priority: priorityNames[priority] }, this.#queue.depth(priority));
    }
    metrics.queueDelayed.set(this.#queue.delayed);
    metrics.queueRunning.set(this.#queue.running);
    metrics.queueLongest.set(this.#queue.longestRunning());
    metrics.providerUp.set(this.#health.reason === undefined ? 1 : 0);
    metrics.breakerOpen.set(this.#breaker.open ? 1 : 0);
    const views = [...this.#observed.all()];
    for (const state of ['running', 'dead'] as const) {
      metrics.instances.set({ state }, views.filter((view) => view.state === state).length);
    }
    const counts = this.#records.count();
    for (const kind of this.#drivers.keys()) {
      for (const phase of Object.values(Phase))
        metrics.resources.set({ kind, phase }, counts.get(kind)?.get(phase) ?? 0);
    }
  }
}

/** Workers kept for what a person waits for. */
function reservedOf(workers: number): number {
  return Math.floor(workers / 4);
}

function meterOf(metrics: Metrics): QueueMeter {
  return {
    added: (priority) => metrics.queueAdds.inc({ priority: priorityNames[priority] }),
    retried: (retry) => metrics.queueRetries.inc({ class: retry }),
    waited: (priority, seconds) => metrics.queueWait.observe({ priority: priorityNames[priority] }, seconds),
    worked: (priority, seconds) => metrics.queueWork.observe({ priority: priorityNames[priority] }, seconds),
  };
}
