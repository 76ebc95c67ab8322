import type { Messaging, Subscription } from '@astara/messaging/contract.ts';
import type { Logger } from 'pino';
import type { Requests } from '../api/requests.ts';
import { Courier } from './courier.ts';
import { dhcpHandlers } from './dhcp-server.ts';
import { l3Handlers } from './l3-server.ts';
import type { Parts } from './parts.ts';
import { AgentRegistry } from './registry.ts';
import { reportHandlers } from './reports-server.ts';
import { withFaults } from './rpc-faults.ts';
import { Scheduler } from './scheduler.ts';

export interface AgentsOptions {
  readonly requests: Requests;
  readonly messaging: Messaging;
  /** Of this server, in the names of its queues. */
  readonly host: string;
  readonly log: Logger;
}

/** Everything between Neutron and its agents: they report, ask and are told. */
export class Agents {
  readonly registry: AgentRegistry;
  readonly #options: AgentsOptions;
  readonly #parts: Parts;
  readonly #subscriptions: Subscription[] = [];

  constructor(options: AgentsOptions) {
    const { requests, messaging, log } = options;
    this.#options = options;
    this.registry = new AgentRegistry(requests.store);
    const registry = this.registry;
    this.#parts = {
      requests,
      registry,
      scheduler: new Scheduler(requests, registry),
      courier: new Courier(requests.store, registry, messaging, log),
    };
  }

  async start(): Promise<void> {
    const { messaging, host, requests } = this.#options;
    const servers = [
      { topic: 'q-reports-plugin', version: '1.2', handlers: reportHandlers(requests, this.registry) },
      { topic: 'q-l3-plugin', version: '1.12', handlers: l3Handlers(this.#parts) },
      { topic: 'q-plugin', version: '1.10', handlers: dhcpHandlers(this.#parts) },
    ];
    for (const server of servers)
      this.#subscriptions.push(await messaging.serve({ ...server, host, handlers: withFaults(server.handlers) }));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
  }
}
