import type { Args, CallOptions, Messaging } from '@astara/messaging/contract.ts';
import type { DhcpNetwork, FloatingIp, Port, SyncedRouter } from '@astara/openstack/neutron-types.ts';
import { type Outcome, outcomeOf } from './backoff.ts';

/** What was asked of Neutron, how it ended and how long it took. */
export type RpcObserver = (method: string, seconds: number, outcome: Outcome) => void;

export interface AgentState {
  readonly binary: string;
  readonly agentType: string;
  readonly topic: string;
  readonly configurations: Readonly<Record<string, unknown>>;
}

/** `new`: Neutron did not know the agent. `revived`: it had been taken for dead. Either way its view of us is worth nothing. */
export type ReportAnswer = 'new' | 'alive' | 'revived';

export type FloatingIpStatus = FloatingIp['status'];

/** A DHCP port as it is asked for. */
export interface DhcpPortRequest {
  readonly network_id: string;
  readonly device_id: string;
  readonly name?: string;
  readonly admin_state_up?: boolean;
  readonly project_id?: string;
  readonly tenant_id?: string;
  readonly fixed_ips?: readonly { readonly subnet_id: string; readonly ip_address?: string }[];
}

/** The calls of stock Neutron's L3 and DHCP agents, by their names and versions. */
export class NeutronRpc {
  readonly host: string;
  readonly #messaging: Messaging;
  readonly #zone: string;
  readonly #observe: RpcObserver;

  constructor(messaging: Messaging, host: string, availabilityZone: string, observe: RpcObserver = () => undefined) {
    this.#messaging = messaging;
    this.host = host;
    this.#zone = availabilityZone;
    this.#observe = observe;
  }

  reportState(state: AgentState, start: boolean, options: CallOptions): Promise<ReportAnswer> {
    const { binary, agentType, topic, configurations } = state;
    const agent = {
      binary,
      host: this.host,
      availability_zone: this.#zone,
      topic,
      configurations,
      agent_type: agentType,
      uuid: crypto.randomUUID(),
      ...(start ? { start_flag: true } : {}),
    };
    const time = new Date().toISOString().replace('Z', '000');
    return this.#call(
      'q-reports-plugin',
      '1.2',
      'report_state',
      { agent_state: { agent_state: agent }, time },
      options,
    );
  }

  /** Also has Neutron schedule unhosted routers to this host. */
  getRouterIds(options: CallOptions): Promise<string[]> {
    return this.#call('q-l3-plugin', '1.9', 'get_router_ids', { host: this.host }, options);
  }

  /** Routers that are not this host's, or that are set down, are missing in the answer. */
  syncRouters(ids: readonly string[], options: CallOptions): Promise<SyncedRouter[]> {
    return this.#call('q-l3-plugin', '1.0', 'sync_routers', { host: this.host, router_ids: ids }, options);
  }

  updateFloatingIpStatuses(
    routerId: string,
    statuses: Readonly<Record<string, FloatingIpStatus>>,
    options: CallOptions,
  ): Promise<null> {
    const args = { router_id: routerId, fip_statuses: statuses };
    return this.#call('q-l3-plugin', '1.1', 'update_floatingip_statuses', args, options);
  }

  /** Also has Neutron schedule networks to this host. All subnets, also those without DHCP. */
  getActiveNetworks(options: CallOptions): Promise<DhcpNetwork[]> {
    const args = { host: this.host, enable_dhcp_filter: false };
    return this.#call('q-plugin', '1.1', 'get_active_networks_info', args, options);
  }

  getNetwork(id: string, options: CallOptions): Promise<DhcpNetwork | null> {
    return this.#call('q-plugin', '1.0', 'get_network_info', { network_id: id, host: this.host }, options);
  }

  /** Null when the network is gone or has no address left. */
  createDhcpPort(port: DhcpPortRequest, options: CallOptions): Promise<Port | null> {
    return this.#call('q-plugin', '1.1', 'create_dhcp_port', { port: { port }, host: this.host }, options);
  }

  updateDhcpPort(portId: string, port: DhcpPortRequest, options: CallOptions): Promise<Port | null> {
    const args = { port_id: portId, port: { port }, host: this.host };
    return this.#call('q-plugin', '1.1', 'update_dhcp_port', args, options);
  }

  releaseDhcpPort(networkId: string, deviceId: string, options: CallOptions): Promise<null> {
    const args = { network_id: networkId, device_id: deviceId, host: this.host };
    return this.#call('q-plugin', '1.0', 'release_dhcp_port', args, options);
  }

  dhcpReadyOnPorts(portIds: readonly string[], options: CallOptions): Promise<null> {
    return this.#call('q-plugin', '1.5', 'dhcp_ready_on_ports', { port_ids: portIds }, options);
  }

  async #call<Result>(
    topic: string,
    version: string,
    method: string,
    args: Args,
    options: CallOptions,
  ): Promise<Result> {
    const began = performance.now();
    const observe = (outcome: Outcome) => this.#observe(method, (performance.now() - began) / 1000, outcome);
    try {
      // A request that died with the broker may be sent again, unless it makes something.
      const idempotent = method !== 'create_dhcp_port';
      const result = await this.#messaging.call<Result>({ topic, version }, method, args, { ...options, idempotent });
      observe('ok');
      return result;
    } catch (error) {
      observe(outcomeOf(error));
      throw error;
    }
  }
}
