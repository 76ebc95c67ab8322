import type { InstanceView } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Instance } from './instances/instance.ts';
import type { Tenant } from './instances/registry.ts';
import type { Metrics } from './metrics.ts';

export interface AppliancesOptions {
  readonly gid: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export class Appliances implements Tenant {
  static async build(_options: AppliancesOptions): Promise<Appliances> {
    return new Appliances();
  }

  async moveIn(_instance: Instance): Promise<void> {}

  async moveOut(_id: string): Promise<void> {}

  async view(instance: Instance): Promise<InstanceView> {
    return {
      id: instance.id,
      resource: instance.record.spec.resource,
      state: instance.isWhole() ? 'running' : 'dead',
      created_at: instance.record.created_at,
      attachments: [...instance.attachments],
      appliance_socket: instance.paths.apiSocket,
      applied: null,
      services: [],
    };
  }

  async close(): Promise<void> {}
}
