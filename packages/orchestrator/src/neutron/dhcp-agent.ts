import type { CallOptions, Handler } from '@astara/messaging/contract.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { Network, Port, Subnet } from '@astara/openstack/neutron-types.ts';
import { Priority } from '../queue/priority.ts';
import { DhcpPorts } from './dhcp-ports.ts';
import { DhcpReady } from './dhcp-ready.ts';
import { neutronObject, objectOf, textOf } from './payload.ts';
import { Role, type RoleDeps } from './role.ts';
import type { AgentState } from './rpc.ts';

export interface DhcpAgentDeps extends RoleDeps {
  /** Whether the network is served by an instance of its own. */
  readonly needsPort: (networkId: string) => boolean;
}

/** The `DHCP agent` of this host: keeps the networks of the mirror as Neutron has them. */
export class DhcpAgent {
  readonly role: Role;
  readonly ready: DhcpReady;
  readonly ports: DhcpPorts;
  readonly #deps: DhcpAgentDeps;

  constructor(deps: DhcpAgentDeps) {
    this.#deps = deps;
    const { rpc, mirror, options, gate, logger, changed, needsPort } = deps;
    this.ready = new DhcpReady({ rpc, mirror, gate, logger });
    this.ports = new DhcpPorts({
      rpc,
      mirror,
      gate,
      needed: needsPort,
      changed: (keys) => changed(keys, Priority.user),
      provisioned: (port) => this.ready.event(port),
      logger,
    });
    this.role = new Role(deps, {
      topic: 'dhcp_agent',
      version: '1.0',
      serves: 'networks',
      part: mirror.dhcp,
      state: () => this.state(),
      handlers: this.#handlers(),
      list: (call) => this.#list(call),
      // One answer that holds everything.
      listTimeout: 2 * options.firstTimeout,
      refresher: {
        pageSize: { max: 1, min: 1 },
        concurrency: 4,
        timeout: { base: options.firstTimeout, perItem: 0, max: options.rpcResponseTimeout },
        ask: async ([id], { timeout, signal, since, urgent }) => {
          if (id === undefined) return [];
          const began = mirror.stamp();
          const answer = await rpc.getNetwork(id, { timeout, signal });
          changed(mirror.ingestNetwork(id, answer, began, since(id)), urgent(id) ? Priority.user : Priority.resync);
          this.ready.listed(id, urgent(id));
          return [];
        },
        onError: (error, [id]) => logger.warn({ err: error, network: id }, 'network not refreshed yet'),
      },
      onReconnected: () => this.ports.kick(),
    });
    gate.onOpen(() => this.#askForOthers());
  }

  async stop(): Promise<void> {
    await Promise.all([this.role.stop(), this.ready.stop(), this.ports.stop()]);
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

  async #list(call: CallOptions): Promise<void> {
    const { rpc, mirror, changed } = this.#deps;
    const began = mirror.stamp();
    const listed = await rpc.getActiveNetworks(call);
    changed(mirror.ingestNetworks(listed, began), Priority.resync);
    for (const network of listed) this.ready.listed(network.id, false);
    this.role.inSync(listed.length);
  }

  /** Networks that only our routers are on are in no list. */
  #askForOthers(): void {
    const { mirror } = this.#deps;
    if (!mirror.dhcp.filled) return;
    const others = mirror.routers.networks().filter((id) => !mirror.networks.isScheduled(id));
    this.role.refresh(others, undefined, { urgent: false });
  }

  #handlers(): Record<string, Handler> {
    const { mirror, changed, options } = this.#deps;
    const user = (keys: readonly ResourceKey[]) => changed(keys, Priority.user);
    return {
      network_create_end: ({ args, context }) => {
        const id = textOf(objectOf(objectOf(args.payload)?.network)?.id);
        if (id === undefined) return null;
        user(mirror.scheduleNetwork(id, context.timestamp));
        this.role.refresh([id], context.timestamp, { grace: options.newNetworkGrace });
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
        this.role.forget(id);
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
    };
  }

  #subnet(payload: unknown, since: number | undefined, fresh: boolean): null {
    const { mirror, changed } = this.#deps;
    const subnet = neutronObject<Subnet>(payload, 'subnet');
    if (subnet === undefined) return null;
    changed(mirror.patchSubnet(subnet, since), Priority.user);
    // With SLAAC, Neutron gives addresses to ports that exist already, and says nothing of it.
    if (fresh && subnet.ipv6_address_mode !== null && mirror.networks.isScheduled(subnet.network_id)) {
      this.role.refresh([subnet.network_id], since, { urgent: false, grace: 500 });
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
