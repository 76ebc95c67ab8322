import { configEtag } from '@astara/model/appliance/etag.ts';
import { AstaraError } from '@astara/model/error.ts';
import type { InstanceView, ResourceKey, ResourceKind } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Appliances } from '../appliance-client/client.ts';
import type { Desired, Driver } from '../drivers/driver.ts';
import { errors, retryClassOf } from '../errors.ts';
import { decide } from '../lifecycle/decide.ts';
import { Phase } from '../lifecycle/phase.ts';
import { type Situation, situate } from '../lifecycle/situation.ts';
import type { Step } from '../lifecycle/table.ts';
import type { Metrics } from '../metrics.ts';
import type { Provider } from '../providers/provider.ts';
import { Priority } from '../queue/priority.ts';
import type { Outcome, Run } from '../queue/work-queue.ts';
import type { Breaker } from './breaker.ts';
import type { Observed } from './observed.ts';
import type { Record, Records } from './record.ts';

export interface ReconcilerOptions {
  readonly drivers: ReadonlyMap<ResourceKind, Driver>;
  readonly provider: Provider;
  readonly appliances: Appliances;
  readonly observed: Observed;
  readonly records: Records;
  readonly breaker: Breaker;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly limits: Limits;
  /** An operation failed: what is known of the instances may be out of date. */
  readonly onDoubt: () => void;
}

export interface Limits {
  /** Deadlines of one step, ms. */
  readonly ensure: number;
  readonly destroy: number;
  readonly push: number;
  /** Instances in a row that fail before they are configured. */
  readonly boots: number;
  /** After these, ms. */
  readonly cooldown: number;
}

export const defaultLimits: Limits = { ensure: 60_000, destroy: 60_000, push: 30_000, boots: 5, cooldown: 30_000 };

/** The lifecycle needs 6 at most in a world that stands still; a busy tenant may change it under our hands. */
const stepLimit = 24;

/** One look at a resource. */
interface Look {
  readonly key: ResourceKey;
  readonly record: Record;
  readonly driver: Driver;
  readonly run: Run;
  /** The configuration this look has pushed and reported last. */
  reported: string | undefined;
  readonly done: { readonly step: Step; readonly changes?: number }[];
  readonly warnings: string[];
}

/**
 * Makes a resource what it must be: reads what is wanted and what is there, does the step that the lifecycle table names, and
 * looks again until there is nothing to do now. Level-triggered: it is told which resource, never what happened.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** The work of the queue. Rejects with the error of the step that failed. */
  async reconcile(key: ResourceKey, run: Run): Promise<Outcome> {
    const { drivers, records, metrics } = this.#options;
    const driver = drivers.get(key.kind);
    if (driver === undefined) return {};
    const record = records.open(key);
    const look: Look = { key, record, driver, run, reported: undefined, done: [], warnings: [] };
    const before = { phase: record.phase, begun: performance.now() };
    try {
      const outcome = await this.#settle(look);
      const result = outcome.requeueAfter !== undefined ? 'requeued' : look.done.length > 0 ? 'changed' : 'unchanged';
      metrics.reconciles.inc({ kind: key.kind, result });
      this.#report(look, before);
      return outcome;
    } catch (error) {
      metrics.reconciles.inc({ kind: key.kind, result: retryClassOf(error) });
      this.#report(look, before, error);
      throw error;
    }
  }

  /** An operator wants a new instance. The key must be queued afterwards. */
  askRebuild(key: ResourceKey): void {
    const record = this.#options.records.open(key);
    record.rebuildAsked = true;
    record.boots = 0;
  }

  async #settle(look: Look): Promise<Outcome> {
    const { key, record, driver } = look;
    const { observed, records } = this.#options;
    const rules: string[] = [];
    for (let count = 0; count < stepLimit; count++) {
      // Read again before each step: what changed meanwhile goes along.
      const desired = driver.desired(key.id);
      const etag = typeof desired === 'string' ? undefined : etagOf(desired);
      const views = observed.of(key);
      const { rule, step, phase } = decide(record.phase, this.#situation(look, desired, etag, views));
      records.enter(record, phase, rule);
      rules.push(rule);
      const outcome = await this.#do(step, look, desired, etag, views ?? []);
      if (outcome !== undefined) return outcome;
    }
    const { kind, id } = key;
    const error = errors.make('LIFECYCLE_NOT_CONVERGING', {
      kind,
      id,
      steps: stepLimit,
      rules: rules.slice(-4).join(', '),
    });
    records.failed(record, 'settle', error);
    throw error;
  }

  #situation(
    { record, run }: Look,
    desired: Desired | 'absent' | 'unknown',
    etag: string | undefined,
    views: readonly InstanceView[] | undefined,
  ): Situation {
    const { limits, breaker } = this.#options;
    return situate({
      desired,
      etag,
      views,
      boots: record.boots,
      maxBoots: limits.boots,
      cooldown: this.#cooldownLeft(record) > 0 ? 'running' : 'over',
      cause: causeOf(run),
      rebuild: record.rebuildAsked,
      breakerOpen: breaker.open,
    });
  }

  #cooldownLeft({ lastBootAt }: Record): number {
    const { limits, now } = this.#options;
    return lastBootAt === undefined ? 0 : Math.max(0, lastBootAt + limits.cooldown - now());
  }

  /** Does one step. An outcome ends the look. */
  async #do(
    step: Step,
    look: Look,
    desired: Desired | 'absent' | 'unknown',
    etag: string | undefined,
    views: readonly InstanceView[],
  ): Promise<Outcome | undefined> {
    const { record, driver, key } = look;
    if (step === 'wait') return {};
    if (step === 'wait for cool-down') return { requeueAfter: this.#cooldownLeft(record) };
    if (step === 'clear error') {
      record.boots = 0;
      record.lastBootAt = undefined;
      return undefined;
    }
    if (step === 'forget') {
      this.#options.records.delete(key);
      driver.onRemoved(key.id);
      return {};
    }
    if (step === 'destroy' || step === 'destroy surplus') {
      const id = typeof desired === 'string' ? views[0]?.id : desired.instanceId;
      const target = step === 'destroy' ? id : views.find((view) => view.id !== id)?.id;
      if (target !== undefined) await this.#destroy(look, step, target);
      return undefined;
    }
    // The rows of all other steps hold only when something is wanted.
    if (typeof desired === 'string' || etag === undefined) return {};
    if (step === 'create' || step === 'replug') {
      await this.#ensure(look, step, desired);
      return undefined;
    }
    if (step === 'configure') {
      const view = views.find(({ id }) => id === desired.instanceId);
      return view === undefined ? {} : await this.#configure(look, desired, etag, view);
    }
    this.#settled(look, desired, etag);
    return {};
  }

  async #destroy(look: Look, step: Step, id: string): Promise<void> {
    const { provider, observed, limits } = this.#options;
    await this.#timed(look, step, id, limits.destroy, (signal) => provider.destroy(id, signal));
    observed.remove(id);
    if (step === 'destroy') look.record.rebuildAsked = false;
  }

  async #ensure(look: Look, step: 'create' | 'replug', desired: Desired): Promise<void> {
    const { provider, observed, limits, now } = this.#options;
    const { record } = look;
    const { instanceId, spec } = desired;
    if (step === 'create') {
      record.boots++;
      record.lastBootAt = now();
    }
    try {
      const view = await this.#timed(look, step, instanceId, limits.ensure, (signal) =>
        provider.ensure(instanceId, spec, signal),
      );
      observed.put(view);
    } catch (error) {
      // The whole host is away: this resource's instance has not failed.
      if (step === 'create' && error instanceof AstaraError && error.radius === 'provider') record.boots--;
      throw error;
    }
    if (step === 'create') record.rebuildAsked = false;
  }

  async #configure(look: Look, desired: Desired, etag: string, view: InstanceView): Promise<Outcome | undefined> {
    const { appliances, observed, limits, now, metrics } = this.#options;
    const { record, key, driver } = look;
    const requeueAfter = record.budget.take(now());
    if (requeueAfter > 0) return { requeueAfter };
    // Above whatever any orchestrator pushed before, also when this one has just started or the clock was set back.
    record.generation = Math.max(now(), record.generation + 1, (view.applied?.generation ?? 0) + 1);
    const config = { ...desired.config, generation: record.generation };
    const { changes, warnings } = await this.#timed(look, 'configure', view.id, limits.push, async (signal) => {
      const applied = await appliances.push(view, config, signal);
      observed.applied(view.id, applied);
      return applied;
    });
    if (changes !== undefined) look.done.splice(-1, 1, { step: 'configure', changes });
    look.warnings.push(...warnings);
    record.appliedAt = now();
    if (desired.since !== undefined) {
      record.convergenceSeconds = Math.max(0, record.appliedAt - desired.since) / 1000;
      metrics.convergence.observe({ kind: key.kind }, record.convergenceSeconds);
    }
    look.reported = etag;
    driver.onApplied(key.id, desired);
    return undefined;
  }

  #settled({ record, driver, key, reported }: Look, desired: Desired, etag: string): void {
    record.boots = 0;
    record.lastBootAt = undefined;
    record.lastError = undefined;
    // Said already after the push, unless something has come up since then that the configuration does not show.
    if (reported !== etag || desired.since !== undefined) driver.onApplied(key.id, desired);
  }

  /** One operation on an instance, with its deadline; its time and its failure are noted. */
  async #timed<T>(
    look: Look,
    step: Step,
    instanceId: string,
    deadline: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { metrics, observed, records } = this.#options;
    const begun = performance.now();
    const observe = (result: string) => metrics.steps.observe({ step, result }, (performance.now() - begun) / 1000);
    try {
      const signal = AbortSignal.any([look.run.signal, AbortSignal.timeout(deadline)]);
      const answer = await observed.during(instanceId, () => work(signal));
      observe('ok');
      look.done.push({ step });
      return answer;
    } catch (error) {
      observe(retryClassOf(error));
      records.failed(look.record, step, error);
      this.#options.onDoubt();
      throw error;
    }
  }

  /** One line for a look that did something, moved the resource to another phase, or failed. */
  #report({ key, record, run, done, warnings }: Look, before: { phase: string; begun: number }, error?: unknown): void {
    const { log } = this.#options;
    const moved = record.phase !== before.phase && record.phase !== Phase.GONE;
    if (done.length === 0 && !moved && error === undefined) return;
    const changes = done.reduce((sum, one) => sum + (one.changes ?? 0), 0);
    const facts = {
      kind: key.kind,
      id: key.id,
      phase: record.phase,
      rule: record.rule,
      steps: done.map(({ step }) => step),
      ms: Math.round((performance.now() - before.begun) * 10) / 10,
      changes,
      ...(warnings.length > 0 ? { warnings } : {}),
    };
    if (error === undefined) {
      log.info(facts, 'reconciled');
    } else if (run.signal.aborted) {
      log.info(facts, 'reconcile left: the orchestrator is closing');
    } else {
      const { lastError } = record;
      const known = error instanceof AstaraError ? { code: error.code, remedy: error.remedy } : { err: error };
      const failed = {
        ...facts,
        ...known,
        step: lastError?.step,
        attempt: run.attempt + 1,
        reason: lastError?.message,
      };
      if (retryClassOf(error) === 'retry') log.warn(failed, 'reconcile failed, will be tried again');
      else log.error(failed, 'reconcile failed');
    }
  }
}

/** A retry and a health check are no news: they do not end an ERROR. */
function causeOf({ priority, attempt }: Run): Situation['cause'] {
  if (attempt > 0 || priority === Priority.health) return 'poll';
  return priority === Priority.resync ? 'resync' : 'update';
}

const etags = new WeakMap<Desired['config'], string>();

/** Drivers give the same object while nothing has changed: it is digested once. */
function etagOf({ config }: Desired): string {
  const known = etags.get(config);
  if (known !== undefined) return known;
  const etag = configEtag(config);
  etags.set(config, etag);
  return etag;
}
