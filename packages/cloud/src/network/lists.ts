import type { Operation } from '../api/operation.ts';
import type { Context } from '../api/resource.ts';
import type { NetworkRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { dhcpAgent, isAlive, l3Agent } from './agents.ts';
import { networkNotFound } from './faults.ts';
import { poolsOf } from './ipam.ts';

/** Lists that clients ask for: zones, addresses left, and what this cloud has none of. */
export function listOperations(): readonly Operation[] {
  return [
    { method: 'GET', path: 'availability_zones', run: ({ store }) => answer('availability_zones', zones(store)) },
    {
      method: 'GET',
      path: 'network-ip-availabilities',
      run: ({ store, caller }) =>
        answer(
          'network_ip_availabilities',
          (caller.isAdmin ? store.networks.all() : []).map((network) => availability(store, network)),
        ),
    },
    { method: 'GET', path: 'network-ip-availabilities/:id', run: showAvailability },
    {
      method: 'GET',
      path: 'service-providers',
      run: () => answer('service_providers', [{ service_type: 'L3_ROUTER_NAT', name: 'single_node', default: true }]),
    },
    ...nothing.map(([path, key]): Operation => ({ method: 'GET', path, run: () => answer(key, []) })),
  ];
}

const nothing = [
  ['subnetpools', 'subnetpools'],
  ['address-scopes', 'address_scopes'],
  ['address-groups', 'address_groups'],
  ['rbac-policies', 'rbac_policies'],
  ['flavors', 'flavors'],
  ['service_profiles', 'service_profiles'],
] as const;

const answer = (key: string, value: unknown) => ({ status: 200, body: { [key]: value } });

function zones(store: Store): unknown[] {
  return [
    ['network', dhcpAgent],
    ['router', l3Agent],
  ].flatMap(([resource = '', type = '']) => {
    const agents = store.agents.by('type', type).filter((agent) => agent.availability_zone !== null);
    const names = [...new Set(agents.map((agent) => agent.availability_zone))];
    return names.map((name) => {
      const usable = agents.some((agent) => agent.availability_zone === name && agent.admin_state_up && isAlive(agent));
      return { state: usable ? 'available' : 'unavailable', name, resource };
    });
  });
}

function showAvailability({ store, caller }: Context, { id = '' }: Readonly<Record<string, string>>) {
  const network = store.networks.get(id);
  if (network === undefined || !caller.isAdmin) throw networkNotFound(id);
  return answer('network_ip_availability', availability(store, network));
}

function availability(store: Store, network: NetworkRow): Record<string, unknown> {
  const subnets = store.subnets.by('network', network.id).map((subnet) => ({
    subnet_id: subnet.id,
    ip_version: subnet.ip_version,
    cidr: subnet.cidr,
    subnet_name: subnet.name,
    used_ips: store.ports.count('subnet', subnet.id),
    total_ips: sizeOf(subnet),
  }));
  const sum = (pick: (one: (typeof subnets)[number]) => number) => subnets.reduce((all, one) => all + pick(one), 0);
  return {
    network_id: network.id,
    network_name: network.name,
    tenant_id: network.project_id,
    project_id: network.project_id,
    subnet_ip_availability: subnets,
    used_ips: sum((one) => one.used_ips),
    total_ips: sum((one) => one.total_ips),
  };
}

/** As a double: of IPv6 the order of magnitude. */
const sizeOf = (subnet: SubnetRow) =>
  Number(poolsOf(subnet).reduce((sum, { first, last }) => sum + last - first + 1n, 0n));
