import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import type { InstanceSpec, InstanceView } from '@astara/model/instance.ts';
import type { Appliances, Applied } from '../appliance-client/client.ts';
import { errors } from '../errors.ts';
import { type Clock, systemClock } from '../queue/clock.ts';
import type { Provider } from './provider.ts';

export const operations = ['list', 'ensure', 'destroy', 'push'] as const;
export type Operation = (typeof operations)[number];

/**
 * A host in memory: its instances and their appliances, of which it remembers no configuration. For the demo without root, and for
 * runs with more routers than a machine holds. Every operation takes its time (`latency`, ms). Tests give it faults: `testing/scripted-host.ts`.
 */
export class SimulatedHost implements Provider, Appliances {
  readonly name = 'simulated';
  /** Called when a configuration has come into force. */
  onPush: (view: InstanceView, config: ApplianceConfig) => void = () => {};
  protected readonly views = new Map<string, InstanceView>();
  readonly #latency: Partial<Record<Operation, number>>;
  readonly #clock: Clock;

  constructor(latency: Partial<Record<Operation, number>> = {}, clock: Clock = systemClock) {
    this.#latency = latency;
    this.#clock = clock;
  }

  async list(signal: AbortSignal): Promise<InstanceView[]> {
    // As old as the question: whoever asks must bear that.
    const views = [...this.views.values()];
    await this.begin('list', '', signal);
    return views;
  }

  async ensure(id: string, spec: InstanceSpec, signal: AbortSignal): Promise<InstanceView> {
    await this.begin('ensure', id, signal);
    const was = this.views.get(id);
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
    this.views.set(id, view);
    return view;
  }

  async destroy(id: string, signal: AbortSignal): Promise<void> {
    await this.begin('destroy', id, signal);
    this.views.delete(id);
  }

  async push({ id }: InstanceView, config: ApplianceConfig, signal: AbortSignal): Promise<Applied> {
    await this.begin('push', id, signal);
    const view = this.views.get(id);
    if (view?.state !== 'running') throw errors.make('APPLIANCE_UNREACHABLE', { socket: id, reason: 'no instance' });
    const { generation = 0 } = config;
    if (generation < (view.applied?.generation ?? 0)) throw new Error(`generation ${generation} is older`);
    const applied = { generation, etag: configEtag(config) };
    this.views.set(id, { ...view, applied });
    this.onPush(view, config);
    return { ...applied, changes: 1, warnings: [] };
  }

  close(): void {}

  /** What every operation begins with. */
  protected async begin(operation: Operation, _id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const latency = this.#latency[operation] ?? 0;
    if (latency > 0) await this.#pass(latency, signal);
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
