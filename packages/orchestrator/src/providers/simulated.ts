import type { ApplianceConfig } from '@astara/model/appliance-config.ts';
import { configEtag } from '@astara/model/etag.ts';
import type { InstanceSpec, InstanceView } from '@astara/model/instance.ts';
import type { Appliances, Applied } from '../appliance-client/client.ts';
import { errors } from '../errors.ts';
import { type Clock, systemClock } from '../queue/clock.ts';
import type { Provider } from './provider.ts';

export const operations = ['list', 'ensure', 'destroy', 'push'] as const;
export type Operation = (typeof operations)[number];

/**
 * A host in memory: its instances and their appliances. For tests, and for runs with more routers than a machine holds.
 * Every operation takes its time (`latency`, ms) and fails when it is told to.
 */
export class SimulatedHost implements Provider, Appliances {
  readonly name = 'simulated';
  /** What was asked, in order. */
  readonly calls: { readonly operation: Operation; readonly id: string }[] = [];
  /** By instance: what its appliance has in force. */
  readonly configs = new Map<string, ApplianceConfig>();
  readonly #views = new Map<string, InstanceView>();
  readonly #latency: Partial<Record<Operation, number>>;
  readonly #faults: { operation: Operation; id: string | undefined; times: number; error: Error }[] = [];

  readonly #clock: Clock;

  constructor(latency: Partial<Record<Operation, number>> = {}, clock: Clock = systemClock) {
    this.#latency = latency;
    this.#clock = clock;
  }

  async list(signal: AbortSignal): Promise<InstanceView[]> {
    // As old as the question: whoever asks must bear that.
    const views = [...this.#views.values()];
    await this.#begin('list', '', signal);
    return views;
  }

  async ensure(id: string, spec: InstanceSpec, signal: AbortSignal): Promise<InstanceView> {
    await this.#begin('ensure', id, signal);
    const was = this.#views.get(id);
    const view: InstanceView = {
      id,
      resource: spec.resource,
      state: 'running',
      created_at: was?.created_at ?? new Date().toISOString(),
      attachments: [...spec.attachments],
      appliance_socket: `/simulated/${id}/api.sock`,
      applied: was?.applied ?? null,
      services: was?.services ?? [],
    };
    this.#views.set(id, view);
    return view;
  }

  async destroy(id: string, signal: AbortSignal): Promise<void> {
    await this.#begin('destroy', id, signal);
    this.#views.delete(id);
    this.configs.delete(id);
  }

  async push({ id }: InstanceView, config: ApplianceConfig, signal: AbortSignal): Promise<Applied> {
    await this.#begin('push', id, signal);
    const view = this.#views.get(id);
    if (view?.state !== 'running') throw errors.make('APPLIANCE_UNREACHABLE', { socket: id, reason: 'no instance' });
    const { generation = 0 } = config;
    if (generation < (view.applied?.generation ?? 0)) throw new Error(`generation ${generation} is older`);
    const applied = { generation, etag: configEtag(config) };
    this.#views.set(id, { ...view, applied });
    this.configs.set(id, config);
    return { ...applied, changes: 1, warnings: [] };
  }

  close(): void {}

  /** The next `times` calls fail with `error`; of all instances, unless `id` names one. */
  fail(operation: Operation, error: Error, times = 1, id?: string): void {
    this.#faults.push({ operation, id, times, error });
  }

  mend(): void {
    this.#faults.length = 0;
  }

  /** Changes what there is behind everyone's back; undefined: it vanishes. */
  disturb(id: string, change: Partial<InstanceView> | undefined): void {
    const view = this.#views.get(id);
    if (change === undefined) this.#views.delete(id);
    else if (view !== undefined) this.#views.set(id, { ...view, ...change });
  }

  get instances(): readonly InstanceView[] {
    return [...this.#views.values()];
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  async #begin(operation: Operation, id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls.push({ operation, id });
    const latency = this.#latency[operation] ?? 0;
    if (latency > 0) await this.#pass(latency, signal);
    const fault = this.#faults.find((one) => one.operation === operation && (one.id ?? id) === id && one.times > 0);
    if (fault === undefined) return;
    fault.times--;
    throw fault.error;
  }

  #pass(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = this.#clock.after(ms, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
    return promise;
  }
}
