/**
 * What the cloud remembers of each Neutron object: its attributes by Neutron's own names, without those that follow from other rows
 * (a network's `subnets`, a router's `external_gateway_info`…), which the views add.
 */

export interface StandardRow {
  readonly id: string;
  readonly project_id: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
}

export interface NetworkRow extends StandardRow {
  readonly name: string;
  readonly admin_state_up: boolean;
  readonly mtu: number;
  readonly shared: boolean;
  readonly external: boolean;
  readonly is_default: boolean;
  readonly port_security_enabled: boolean;
  readonly availability_zone_hints: readonly string[];
  readonly network_type: string;
  readonly physical_network: string | null;
  readonly segmentation_id: number | null;
}

export interface SubnetRow extends StandardRow {
  readonly name: string;
  readonly network_id: string;
  readonly ip_version: 4 | 6;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
  readonly ipv6_ra_mode: 'slaac' | 'dhcpv6-stateless' | 'dhcpv6-stateful' | null;
  readonly ipv6_address_mode: 'slaac' | 'dhcpv6-stateless' | 'dhcpv6-stateful' | null;
  readonly allocation_pools: readonly { readonly start: string; readonly end: string }[];
  readonly host_routes: readonly { readonly destination: string; readonly nexthop: string }[];
  readonly dns_nameservers: readonly string[];
  readonly service_types: readonly string[];
}

export interface PortRow extends StandardRow {
  readonly name: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: 'ACTIVE' | 'DOWN' | 'BUILD' | 'ERROR' | 'N/A';
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly allowed_address_pairs: readonly { readonly ip_address: string; readonly mac_address: string }[];
  readonly extra_dhcp_opts: readonly {
    readonly opt_name: string;
    readonly opt_value: string;
    readonly ip_version: 4 | 6;
  }[];
  readonly security_groups: readonly string[];
  readonly port_security_enabled: boolean;
  readonly host_id: string;
  readonly vnic_type: string;
  readonly profile: Readonly<Record<string, unknown>>;
  /** What keeps the port from ACTIVE: `L2` until its tap is wired, `DHCP` until the DHCP server knows it. */
  readonly provisioning: readonly ('L2' | 'DHCP')[];
}

export interface RouterRow extends StandardRow {
  readonly name: string;
  readonly admin_state_up: boolean;
  readonly gw_port_id: string | null;
  readonly enable_snat: boolean;
  readonly routes: readonly { readonly destination: string; readonly nexthop: string }[];
  readonly availability_zone_hints: readonly string[];
  readonly flavor_id: string | null;
  /** The agent that hosts it. */
  readonly agent_id: string | null;
}

export interface FloatingIpRow extends StandardRow {
  readonly floating_network_id: string;
  readonly floating_ip_address: string;
  /** The port of the floating address itself, on the external network. */
  readonly floating_port_id: string;
  readonly fixed_ip_address: string | null;
  readonly port_id: string | null;
  readonly router_id: string | null;
  /** The router before the last change of association: when it reports, the address is DOWN there. */
  readonly last_known_router_id: string | null;
  readonly status: 'ACTIVE' | 'DOWN' | 'ERROR';
  readonly dns_name: string;
  readonly dns_domain: string;
}

export interface PortForwardingRow extends StandardRow {
  readonly floatingip_id: string;
  readonly protocol: string;
  readonly external_port: number;
  readonly internal_port: number;
  readonly internal_ip_address: string;
  readonly internal_port_id: string;
}

export interface SecurityGroupRow extends StandardRow {
  readonly name: string;
  readonly stateful: boolean;
}

export interface SecurityGroupRuleRow extends StandardRow {
  readonly security_group_id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
}

/** An agent as it reported itself. */
export interface AgentRow {
  readonly id: string;
  readonly agent_type: string;
  readonly binary: string;
  readonly topic: string;
  readonly host: string;
  readonly availability_zone: string | null;
  readonly admin_state_up: boolean;
  readonly description: string | null;
  readonly configurations: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly started: number;
  readonly heartbeat: number;
}

/** A network on a DHCP agent; its id is `network_id/agent_id`. */
export interface DhcpBindingRow {
  readonly id: string;
  readonly network_id: string;
  readonly agent_id: string;
}

/** A Nova server; its ports are Neutron's. */
export interface ServerRow {
  readonly id: string;
  readonly name: string;
  readonly project_id: string;
  readonly user_id: string;
  /** What it is. */
  readonly status: 'BUILD' | 'ACTIVE' | 'SHUTOFF' | 'ERROR';
  /** What it shall be. */
  readonly power: 'on' | 'off';
  readonly host: string;
  readonly flavor_id: string;
  readonly image_id: string;
  /** Base64, as it was given. */
  readonly user_data: string | null;
  readonly key_name: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of its network cards. Those that were there before it are `kept`: they outlive it. */
  readonly ports: readonly { readonly id: string; readonly kept: boolean }[];
  /** Why it is in ERROR. */
  readonly fault: { readonly code: number; readonly message: string; readonly created: string } | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly launched_at: string | null;
}

/** A public key of a user; its id is `user_id/name`. */
export interface KeypairRow {
  readonly id: string;
  readonly name: string;
  readonly user_id: string;
  readonly public_key: string;
  /** MD5 of the key, as ssh-keygen shows it: `aa:bb:…` */
  readonly fingerprint: string;
  readonly created_at: string;
}

/** What a project may have at most, as far as it differs from the default; its id is the project's. */
export interface QuotaRow {
  readonly id: string;
  readonly limits: Readonly<Record<string, number>>;
}

export interface ProjectRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
}

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly email: string | null;
  readonly enabled: boolean;
  readonly default_project_id: string | null;
  /** `salt:key`, both hexadecimal, by scrypt; null: no password opens it. */
  readonly password_hash: string | null;
}

/** A user's role in a project; its id is `user_id/project_id/role_id`. */
export interface AssignmentRow {
  readonly id: string;
  readonly user_id: string;
  readonly project_id: string;
  readonly role_id: string;
}

export interface ApplicationCredentialRow {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly user_id: string;
  readonly project_id: string;
  readonly role_ids: readonly string[];
  /** As the user's password. */
  readonly secret_hash: string;
  readonly expires_at: string | null;
}
