import type { ApplianceConfig } from '@astara/model/appliance-config.ts';
import { configEtag } from '@astara/model/etag.ts';
import type { InstanceSpec, InstanceView } from '@astara/model/instance.ts';
import type { Appliances, Applied } from '@astara/orchestrator/appliance-client/client.ts';
import type { Provider } from '@astara/orchestrator/providers/provider.ts';

/** What one instance and one push cost a real host (docs/reference/performance.md), in milliseconds. */
export interface Latency {
  readonly ensure: number;
  readonly push: number;
}

/** A host that is only imagined: it takes its time and remembers no configuration, so that what is measured is the orchestrator. */
export class ImaginedHost implements Provider, Appliances {
  readonly name = 'imagined';
  /** Called when a configuration came into force. */
  onPush: (resource: string, config: ApplianceConfig) => void = () => {};
  readonly #views = new Map<string, InstanceView>();
  readonly #latency: Latency;
  /** Instances with a configuration in force. */
  configured = 0;

  constructor(latency: Latency) {
    this.#latency = latency;
  }

  async list(): Promise<InstanceView[]> {
    return [...this.#views.values()];
  }

  async ensure(id: string, spec: InstanceSpec): Promise<InstanceView> {
    await pass(this.#latency.ensure);
    const was = this.#views.get(id);
    const view: InstanceView = {
      id,
      resource: spec.resource,
      state: 'running',
      created_at: was?.created_at ?? new Date().toISOString(),
      attachments: [...spec.attachments],
      appliance_socket: `/imagined/${id}`,
      applied: was?.applied ?? null,
      services: [],
    };
    this.#views.set(id, view);
    return view;
  }

  async destroy(id: string): Promise<void> {
    if (this.#views.get(id)?.applied) this.configured--;
    this.#views.delete(id);
  }

  async push({ id }: InstanceView, config: ApplianceConfig): Promise<Applied> {
    await pass(this.#latency.push);
    const view = this.#views.get(id);
    if (view === undefined) throw new Error(`there is no instance ${id}`);
    const applied = { generation: config.generation ?? 0, etag: configEtag(config) };
    if (view.applied === null) this.configured++;
    this.#views.set(id, { ...view, applied });
    this.onPush(view.resource.id, config);
    return { ...applied, changes: 1, warnings: [] };
  }

  close(): void {}
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
