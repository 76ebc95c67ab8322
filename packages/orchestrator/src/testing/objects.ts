import type {
  DhcpNetwork,
  FloatingIp,
  Port,
  RouterPort,
  Subnet,
  SyncedRouter,
} from '@astara/openstack/neutron-types.ts';

/** Neutron's objects made small: what a test does not say is plausible and without meaning. */

const standard = {
  project_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
  tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
  description: '',
  tags: [],
  created_at: '2026-11-20T20:00:00Z',
  updated_at: '2026-11-20T20:00:00Z',
  revision_number: 1,
};

export function port(id: string, networkId: string, extra: Partial<Port> = {}): Port {
  return {
    ...standard,
    id,
    name: '',
    network_id: networkId,
    mac_address: 'fa:16:3e:00:00:01',
    admin_state_up: true,
    status: 'DOWN',
    device_id: 'vm',
    device_owner: 'compute:nova',
    fixed_ips: [],
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    security_groups: [],
    'binding:host_id': 'lab1',
    'binding:vif_type': 'bridge',
    ...extra,
  };
}

export function subnet(id: string, networkId: string, cidr: string, extra: Partial<Subnet> = {}): Subnet {
  const ip_version = cidr.includes(':') ? 6 : 4;
  return {
    ...standard,
    id,
    name: '',
    network_id: networkId,
    ip_version,
    cidr,
    gateway_ip: cidr.replace(/0?\/\d+$/, '1'),
    enable_dhcp: true,
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    allocation_pools: [],
    host_routes: [],
    dns_nameservers: [],
    service_types: [],
    subnetpool_id: null,
    ...extra,
  };
}

export function network(id: string, subnets: readonly Subnet[] = [], ports: readonly Port[] = []): DhcpNetwork {
  const { project_id, tenant_id } = standard;
  return { id, project_id, tenant_id, admin_state_up: true, mtu: 1450, subnets, non_local_subnets: [], ports };
}

/** `addresses`: subnet → address. */
export function routerPort(
  id: string,
  networkId: string,
  subnets: readonly Subnet[],
  addresses: Readonly<Record<string, string>>,
  extra: Partial<RouterPort> = {},
): RouterPort {
  return {
    ...port(id, networkId),
    device_owner: 'network:router_interface',
    fixed_ips: Object.entries(addresses).map(([subnet_id, ip_address]) => ({
      subnet_id,
      ip_address,
      prefixlen: Number(subnets.find((subnet) => subnet.id === subnet_id)?.cidr.split('/')[1]),
    })),
    subnets: subnets
      .filter((subnet) => subnet.id in addresses)
      .map(({ id, cidr, gateway_ip, dns_nameservers, ipv6_ra_mode }) => ({
        id,
        cidr,
        gateway_ip,
        dns_nameservers,
        ipv6_ra_mode,
        subnetpool_id: null,
      })),
    extra_subnets: [],
    address_scopes: { '4': null, '6': null },
    mtu: 1450,
    ...extra,
  };
}

export function router(id: string, extra: Partial<SyncedRouter> = {}): SyncedRouter {
  return {
    ...standard,
    id,
    name: id,
    status: 'ACTIVE',
    admin_state_up: true,
    distributed: false,
    ha: false,
    external_gateway_info: null,
    routes: [],
    availability_zones: ['nova'],
    availability_zone_hints: [],
    flavor_id: null,
    gw_port_id: null,
    gw_port_host: null,
    ha_vr_id: 0,
    ...extra,
  };
}

export function floatingIp(id: string, routerId: string | null, extra: Partial<FloatingIp> = {}): FloatingIp {
  return {
    ...standard,
    id,
    floating_ip_address: '203.0.113.9',
    floating_network_id: 'e0',
    fixed_ip_address: routerId === null ? null : '10.0.0.9',
    port_id: routerId === null ? null : 'a9',
    router_id: routerId,
    status: 'DOWN',
    port_details: null,
    ...extra,
  };
}
