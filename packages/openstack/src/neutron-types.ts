/**
 * Neutron's objects as they come over REST, in notifications and in RPC answers. Names are Neutron's own.
 * Seen on Zed (neutron 21); what only one of the ways carries is optional and says so.
 */

/** `YYYY-MM-DDTHH:MM:SSZ`; whole seconds. */
export type Timestamp = string;

/** What every versioned object carries. A higher `revision_number` is newer. */
export interface Standard {
  readonly id: string;
  /** Empty for objects of the cloud itself: gateway ports, HA networks. */
  readonly project_id: string;
  readonly tenant_id: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  readonly revision_number: number;
}

export type PortStatus = 'ACTIVE' | 'DOWN' | 'BUILD' | 'ERROR' | 'N/A';
export type RaMode = 'slaac' | 'dhcpv6-stateless' | 'dhcpv6-stateful';

export interface HostRoute {
  readonly destination: string;
  readonly nexthop: string;
}

export interface Subnet extends Standard {
  readonly name: string;
  readonly network_id: string;
  readonly ip_version: 4 | 6;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
  readonly ipv6_ra_mode: RaMode | null;
  readonly ipv6_address_mode: RaMode | null;
  readonly allocation_pools: readonly { readonly start: string; readonly end: string }[];
  readonly host_routes: readonly HostRoute[];
  readonly dns_nameservers: readonly string[];
  readonly service_types: readonly string[];
  readonly subnetpool_id: string | null;
  /** Absent in notifications. */
  readonly shared?: boolean;
  readonly segment_id?: string | null;
}

export interface FixedIp {
  readonly subnet_id: string;
  readonly ip_address: string;
}

export interface ExtraDhcpOpt {
  readonly opt_name: string;
  readonly opt_value: string | null;
  readonly ip_version: 4 | 6;
}

export interface Port extends Standard {
  readonly name: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: PortStatus;
  readonly device_id: string;
  /** `compute:…`, `network:router_interface`, `network:dhcp`…; empty when nobody has claimed it. */
  readonly device_owner: string;
  readonly fixed_ips: readonly FixedIp[];
  readonly allowed_address_pairs: readonly { readonly ip_address: string; readonly mac_address?: string }[];
  readonly extra_dhcp_opts: readonly ExtraDhcpOpt[];
  readonly security_groups: readonly string[];
  readonly port_security_enabled?: boolean;
  /** The binding is shown to administrators only. */
  readonly 'binding:host_id'?: string;
  /** `bridge`, `ovs`, `unbound`, `binding_failed`… */
  readonly 'binding:vif_type'?: string;
  readonly 'binding:vif_details'?: Readonly<Record<string, unknown>>;
  readonly 'binding:vnic_type'?: string;
  readonly 'binding:profile'?: Readonly<Record<string, unknown>>;
  /** With the DNS extension. */
  readonly dns_name?: string;
  readonly dns_assignment?: readonly {
    readonly hostname: string;
    readonly ip_address: string;
    readonly fqdn: string;
  }[];
}

export interface Network extends Standard {
  readonly name: string;
  readonly admin_state_up: boolean;
  readonly mtu: number;
  readonly status: PortStatus;
  /** Ids. */
  readonly subnets: readonly string[];
  readonly shared: boolean;
  readonly 'router:external': boolean;
  readonly availability_zone_hints: readonly string[];
  readonly availability_zones: readonly string[];
  readonly ipv4_address_scope: string | null;
  readonly ipv6_address_scope: string | null;
  readonly port_security_enabled?: boolean;
  readonly vlan_transparent?: boolean | null;
  readonly is_default?: boolean;
  /** With the DNS extension; empty when unset. */
  readonly dns_domain?: string;
  readonly 'provider:network_type'?: string;
  readonly 'provider:physical_network'?: string | null;
  readonly 'provider:segmentation_id'?: number | null;
}

/**
 * A network as `get_network_info` and `get_active_networks_info` answer it to a DHCP agent.
 * It has neither a name nor a revision number of its own; its subnets and ports have.
 */
export interface DhcpNetwork {
  readonly id: string;
  readonly project_id: string;
  readonly tenant_id: string;
  readonly admin_state_up: boolean;
  readonly mtu: number;
  /** Seen: all of them with `enable_dhcp` true when the request filters, else all. */
  readonly subnets: readonly Subnet[];
  readonly non_local_subnets: readonly Subnet[];
  /** All ports of the network. */
  readonly ports: readonly Port[];
}

export interface ExternalGatewayInfo {
  readonly network_id: string;
  readonly external_fixed_ips: readonly FixedIp[];
  readonly enable_snat: boolean;
}

/** A router over REST and in notifications. */
export interface Router extends Standard {
  readonly name: string;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly distributed: boolean;
  readonly ha: boolean;
  readonly external_gateway_info: ExternalGatewayInfo | null;
  /** Extra routes. */
  readonly routes: readonly HostRoute[];
  readonly availability_zones: readonly string[];
  readonly availability_zone_hints: readonly string[];
  readonly flavor_id: string | null;
}

/** A subnet as it hangs on a router's port: what routing needs of it. */
export interface RouterPortSubnet {
  readonly id: string;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly dns_nameservers: readonly string[];
  readonly ipv6_ra_mode: RaMode | null;
  readonly subnetpool_id: string | null;
}

/** A port of a router in `sync_routers`: a port, and what the server adds for the agent. */
export interface RouterPort extends Omit<Port, 'fixed_ips'> {
  readonly fixed_ips: readonly (FixedIp & { readonly prefixlen: number })[];
  /** Those the port has addresses in. */
  readonly subnets: readonly RouterPortSubnet[];
  /** The other subnets of its network: on-link routes. */
  readonly extra_subnets: readonly RouterPortSubnet[];
  readonly address_scopes: { readonly '4': string | null; readonly '6': string | null };
  readonly mtu: number;
}

/** A router as `sync_routers` answers it. Keys that are optional are absent, not null, when there is nothing. */
export interface SyncedRouter extends Router {
  readonly gw_port_id: string | null;
  readonly gw_port_host: string | null;
  readonly ha_vr_id: number;
  /** With a gateway only. */
  readonly gw_port?: RouterPort;
  readonly enable_snat?: boolean;
  readonly _interfaces?: readonly RouterPort[];
  readonly _floatingips?: readonly FloatingIp[];
  /** HA routers only. */
  readonly _ha_interface?: RouterPort;
  readonly _ha_state?: 'active' | 'standby';
}

export interface FloatingIp extends Standard {
  readonly floating_ip_address: string;
  readonly floating_network_id: string;
  /** These three are null together: not associated. */
  readonly fixed_ip_address: string | null;
  readonly port_id: string | null;
  readonly router_id: string | null;
  readonly status: 'ACTIVE' | 'DOWN' | 'ERROR';
  readonly port_details: {
    readonly name: string;
    readonly network_id: string;
    readonly mac_address: string;
    readonly admin_state_up: boolean;
    readonly status: PortStatus;
    readonly device_id: string;
    readonly device_owner: string;
  } | null;
  /** In `sync_routers` only. */
  readonly fixed_ip_address_scope?: string | null;
  readonly qos_policy_id?: string | null;
  readonly dns_name?: string;
  readonly dns_domain?: string;
}

export interface Agent {
  readonly id: string;
  readonly agent_type: string;
  readonly binary: string;
  readonly topic: string;
  readonly host: string;
  readonly availability_zone: string | null;
  readonly admin_state_up: boolean;
  readonly alive: boolean;
  readonly created_at: string;
  readonly started_at: string;
  readonly heartbeat_timestamp: string;
  readonly description: string | null;
  readonly configurations: Readonly<Record<string, unknown>>;
}
