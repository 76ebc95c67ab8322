import type { Messaging } from '@astara/messaging/contract.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Priority } from '../queue/priority.ts';
import { DhcpAgent } from './dhcp-agent.ts';
import { Gate } from './gate.ts';
import { L3Agent } from './l3-agent.ts';
import type { Mirror } from './mirror/mirror.ts';
import { defaultRoleOptions, type RoleIntervals, type RoleOptions } from './options.ts';
import type { Role } from './role.ts';
import { NeutronRpc, type RpcObserver } from './rpc.ts';

export interface NeutronAgentsOptions {
  readonly messaging: Messaging;
  /** Of the agents in Neutron: that of the L2 agent here. */
  readonly host: string;
  readonly availabilityZone: string;
  readonly mirror: Mirror;
  /** Which agents this host is. */
  readonly roles: { readonly l3: boolean; readonly dhcp: boolean };
  /** Whether the network is served by an instance of its own. */
  readonly needsPort: (networkId: string) => boolean;
  /** The way into the queue. */
  readonly enqueue: (key: ResourceKey, priority: Priority) => void;
  readonly options?: Partial<RoleOptions>;
  readonly observe?: RpcObserver;
  readonly logger: Logger;
}

/** The agents of stock Neutron that this host is, and what they have in common. */
export class NeutronAgents {
  readonly l3: L3Agent;
  readonly dhcp: DhcpAgent;
  readonly #options: NeutronAgentsOptions;
  readonly #played: readonly Role[];

  constructor(options: NeutronAgentsOptions) {
    this.#options = options;
    const { messaging, host, availabilityZone, mirror, roles, needsPort, observe } = options;
    const rpc = new NeutronRpc(messaging, host, availabilityZone, (method, seconds, outcome) => {
      observe?.(method, seconds, outcome);
      const away = outcome === 'timeout' || outcome === 'disconnected';
      if (away && method !== 'report_state') for (const role of this.#played) role.probe();
    });
    const role = { ...defaultRoleOptions, ...options.options };
    const changed = (keys: readonly ResourceKey[], priority: Priority) => this.changed(keys, priority);
    const common = { messaging, rpc, mirror, options: role, gate: new Gate(role.choreDelay), changed };
    this.l3 = new L3Agent({ ...common, logger: options.logger.child({ role: 'l3' }) });
    this.dhcp = new DhcpAgent({ ...common, needsPort, logger: options.logger.child({ role: 'dhcp' }) });
    this.#played = [...(roles.l3 ? [this.l3.role] : []), ...(roles.dhcp ? [this.dhcp.role] : [])];
    // What this host does not play has nothing to be waited for.
    if (!roles.l3) Object.assign(mirror.l3, { filled: true, up: false });
    if (!roles.dhcp) Object.assign(mirror.dhcp, { filled: true, up: false });
  }

  async start(): Promise<void> {
    await Promise.all(this.#played.map((role) => role.start()));
  }

  configure(intervals: RoleIntervals): void {
    for (const role of this.#played) role.configure(intervals);
  }

  async stop(): Promise<void> {
    await Promise.all([this.l3.stop(), this.dhcp.stop()]);
  }

  /** Whether Neutron sees all agents of this host alive, as far as we can tell. */
  get alive(): boolean {
    return this.#played.every((role) => role.alive);
  }

  /** Resources may look different now: into the queue with them, and with what follows from it to Neutron. */
  changed(keys: readonly ResourceKey[], priority: Priority): void {
    const { mirror, enqueue } = this.#options;
    for (const key of keys) enqueue(key, priority);
    if (keys.some((key) => key.kind === 'router') && mirror.filled) {
      this.dhcp.role.refresh(mirror.unknownNetworks(), undefined, { urgent: false, grace: 200 });
    }
    this.dhcp.ports.check(keys.filter((key) => key.kind === 'network').map((key) => key.id));
  }
}
