import type { Handler, Messaging, Subscription } from '@astara/messaging/contract.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { Network, Port, Subnet } from '@astara/openstack/neutron-types.ts';
import type { Logger } from 'pino';
import { Priority } from '../queue/priority.ts';
import { DhcpPorts } from './dhcp-ports.ts';
import { DhcpReady } from './dhcp-ready.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Mirror } from './mirror/mirror.ts';
import type { RoleOptions } from './options.ts';
import { neutronObject, objectOf, textOf } from './payload.ts';
import { Refresher } from './refresher.ts';
import { Repeater } from './repeater.ts';
import type { AgentState, NeutronRpc } from './rpc.ts';

export interface DhcpAgentDeps {
  readonly messaging: Messaging;
  readonly rpc: NeutronRpc;
  readonly mirror: Mirror;
  readonly options: RoleOptions;
  /** Whether the network is served by an instance of its own. */
  readonly needsPort: (networkId: string) => boolean;
  /** Resources may look different now. */
  readonly changed: (keys: readonly ResourceKey[], priority: Priority) => void;
  readonly logger: Logger;
}

/** The `DHCP agent` of this host: keeps itself alive in Neutron's eyes and the networks of the mirror as Neutron has them. */
export class DhcpAgent {
  readonly ready: DhcpReady;
  readonly ports: DhcpPorts;
  readonly #deps: DhcpAgentDeps;
  readonly #heartbeat: Heartbeat;
  readonly #lister: Repeater;
  readonly #refresher: Refresher;
  #resyncTimer: NodeJS.Timeout | undefined;
  #subscription: Subscription | undefined;

  constructor(deps: DhcpAgentDeps) {
    this.#deps = deps;
    const { rpc, mirror, options, logger, changed, needsPort } = deps;
    this.ready = new DhcpReady({ rpc, mirror, logger });
    this.ports = new DhcpPorts({
      rpc,
      mirror,
      needed: needsPort,
      changed: (keys) => changed(keys, Priority.user),
      provisioned: (port) => this.ready.event(port),
      logger,
    });
    this.#heartbeat = new Heartbeat({
      rpc,
      state: () => this.state(),
      interval: options.reportInterval,
      downTime: options.agentDownTime,
      onLapse: (why) => this.resync(why),
      logger,
    });
    this.#lister = new Repeater((attempt, signal) => this.#list(attempt, signal), {
      ...options.retry,
      onError: (error, attempt) => logger.warn({ err: error, attempt }, 'networks of this host not listed yet'),
    });
    this.#refresher = new Refresher({
      pageSize: { max: 1, min: 1 },
      concurrency: 4,
      timeout: { base: options.firstTimeout, perItem: 0, max: options.rpcResponseTimeout },
      retry: options.retry,
      ask: async ([id], { timeout, signal, since, urgent }) => {
        if (id === undefined) return [];
        const began = mirror.stamp();
        const answer = await rpc.getNetwork(id, { timeout, signal });
        changed(mirror.ingestNetwork(id, answer, began, since(id)), urgent(id) ? Priority.user : Priority.resync);
        this.ready.listed(id);
        return [];
      },
      onError: (error, [id]) => logger.warn({ err: error, network: id }, 'network not refreshed yet'),
    });
  }

  /** Whether Neutron sees the agent alive, as far as we can tell. */
  get alive(): boolean {
    return this.#heartbeat.alive;
  }

  /** Networks that the mirror is known to be behind for. */
  get stale(): number {
    return this.#refresher.size;
  }

  /** Some call got no answer: finds out whether Neutron is away, so that its return is noticed. */
  probe(): void {
    if (this.#heartbeat.alive) this.#heartbeat.beat();
  }

  async start(): Promise<void> {
    const { messaging, rpc, options } = this.#deps;
    let first = true;
    messaging.on('connected', () => {
      this.#heartbeat.beat();
      this.#refresher.kick();
      this.ports.kick();
      if (!first) this.resync('reconnected to the message bus');
      first = false;
    });
    this.#subscription = await messaging.serve({
      topic: 'dhcp_agent',
      host: rpc.host,
      version: '1.0',
      handlers: this.#handlers(),
    });
    first = false;
    this.#heartbeat.beat();
    this.#resyncTimer = setInterval(
      () => this.resync('periodic'),
      options.resyncInterval * (0.9 + Math.random() * 0.2),
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.#resyncTimer);
    await this.#subscription?.close();
    await Promise.all([
      this.#heartbeat.stop(),
      this.#lister.stop(),
      this.#refresher.stop(),
      this.ready.stop(),
      this.ports.stop(),
    ]);
  }

  resync(why: string): void {
    this.#deps.logger.info({ why }, 'listing the networks of this host');
    this.#lister.request();
  }

  /** Networks that must be asked for. */
  refresh(networkIds: Iterable<string>, since?: number, options: { urgent?: boolean; grace?: number } = {}): void {
    this.#refresher.mark(networkIds, { urgent: options.urgent ?? true, since, grace: options.grace ?? 0 });
  }

  /** What `report_state` says. */
  state(): AgentState {
    const { mirror, options } = this.#deps;
    const scheduled = mirror.dhcp.up ? mirror.networks.scheduled() : [];
    const networks = scheduled.map((id) => mirror.networks.get(id)).filter((network) => network !== undefined);
    return {
      binary: 'neutron-dhcp-agent',
      agentType: 'DHCP agent',
      topic: 'dhcp_agent',
      configurations: {
        dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq',
        dhcp_lease_duration: options.leaseDuration,
        log_agent_heartbeats: false,
        networks: networks.length,
        subnets: networks.reduce((sum, network) => sum + network.subnets.length, 0),
        ports: networks.reduce((sum, network) => sum + network.ports.length, 0),
      },
    };
  }

  async #list(attempt: number, signal: AbortSignal): Promise<void> {
    const { rpc, mirror, options, changed, logger } = this.#deps;
    const timeout = Math.min(options.rpcResponseTimeout, options.firstTimeout * 2 ** (attempt + 1));
    const began = mirror.stamp();
    const listed = await rpc.getActiveNetworks({ timeout, signal });
    const keys = mirror.ingestNetworks(listed, began);
    const first = !mirror.dhcp.filled;
    mirror.dhcp.filled = true;
    if (first) logger.info({ networks: listed.length }, 'networks of this host known');
    changed(first ? mirror.keys() : keys, Priority.resync);
    for (const network of listed) this.ready.listed(network.id);
    // Networks that only our routers are on are in no list.
    const others = mirror.routers.networks().filter((id) => !mirror.networks.isScheduled(id));
    this.refresh(others, undefined, { urgent: false });
  }

  #handlers(): Record<string, Handler> {
    const { mirror, changed, logger } = this.#deps;
    const user = (keys: readonly ResourceKey[]) => changed(keys, Priority.user);
    return {
      network_create_end: ({ args, context }) => {
        const id = textOf(objectOf(objectOf(args.payload)?.network)?.id);
        if (id === undefined) return null;
        user(mirror.scheduleNetwork(id, context.timestamp));
        this.refresh([id], context.timestamp);
        return null;
      },
      network_update_end: ({ args, context }) => {
        const network = neutronObject<Network>(args.payload, 'network');
        if (network !== undefined) user(mirror.patchNetwork(network, context.timestamp));
        return null;
      },
      network_delete_end: ({ args, context }) => {
        const id = textOf(objectOf(args.payload)?.network_id);
        if (id === undefined) return null;
        this.#refresher.forget(id);
        user(mirror.unscheduleNetwork(id, context.timestamp));
        return null;
      },
      subnet_create_end: ({ args, context }) => this.#subnet(args.payload, context.timestamp, true),
      subnet_update_end: ({ args, context }) => this.#subnet(args.payload, context.timestamp, false),
      subnet_delete_end: ({ args, context }) => {
        const payload = objectOf(args.payload);
        const id = textOf(payload?.subnet_id);
        if (id !== undefined) user(mirror.removeSubnet(id, context.timestamp));
        return null;
      },
      port_create_end: ({ args, context }) => this.#port(args.payload, context.timestamp),
      port_update_end: ({ args, context }) => this.#port(args.payload, context.timestamp),
      port_delete_end: ({ args, context }) => {
        const id = textOf(objectOf(args.payload)?.port_id);
        if (id !== undefined) user(mirror.removePort(id, context.timestamp));
        return null;
      },
      agent_updated: ({ args }) => {
        const up = objectOf(args.payload)?.admin_state_up !== false;
        if (up !== mirror.dhcp.up) logger.info({ up }, 'the DHCP agent was set up or down');
        mirror.dhcp.up = up;
        user(mirror.keys());
        if (up) this.resync('set up');
        return null;
      },
    };
  }

  #subnet(payload: unknown, since: number | undefined, fresh: boolean): null {
    const { mirror, changed } = this.#deps;
    const subnet = neutronObject<Subnet>(payload, 'subnet');
    if (subnet === undefined) return null;
    changed(mirror.patchSubnet(subnet, since), Priority.user);
    // With SLAAC, Neutron gives addresses to ports that exist already, and says nothing of it.
    if (fresh && subnet.ipv6_address_mode !== null && mirror.networks.isScheduled(subnet.network_id)) {
      this.refresh([subnet.network_id], since, { urgent: false, grace: 500 });
    }
    return null;
  }

  #port(payload: unknown, since: number | undefined): null {
    const { mirror, changed } = this.#deps;
    const port = neutronObject<Port>(payload, 'port');
    if (port === undefined) return null;
    changed(mirror.patchPort(port, since), Priority.user);
    if (mirror.networks.isScheduled(port.network_id)) this.ready.event(port);
    return null;
  }
}
