import { createHash } from 'node:crypto';
import type { Context } from '../api/resource.ts';
import type { PortRow, ServerRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** Nova's vm_state, task_state and power_state (1: running, 4: shut down, 0: none). */
function statesOf({ status, power }: ServerRow): [string, string | null, number] {
  switch (status) {
    case 'BUILD':
      return ['building', 'spawning', 0];
    case 'ACTIVE':
      return ['active', power === 'off' ? 'powering-off' : null, 1];
    case 'SHUTOFF':
      return ['stopped', power === 'on' ? 'powering-on' : null, 4];
    case 'ERROR':
      return ['error', null, 0];
  }
}

/** A server as `GET /servers/{id}` shows it, microversion 2.1. `url`: of the API, up to and without `/v2.1`. */
export function serverView({ store, caller }: Context, row: ServerRow, url: string): Record<string, unknown> {
  const [vmState, taskState, powerState] = statesOf(row);
  const ports = portsOf(store, row);
  return {
    ...briefView(row, url),
    status: row.status,
    tenant_id: row.project_id,
    user_id: row.user_id,
    metadata: row.metadata,
    hostId: createHash('sha224').update(`${row.project_id}${row.host}`).digest('hex'),
    image: { id: row.image_id, links: [{ rel: 'bookmark', href: `${url}/images/${row.image_id}` }] },
    flavor: { id: row.flavor_id, links: [{ rel: 'bookmark', href: `${url}/flavors/${row.flavor_id}` }] },
    created: row.created_at,
    updated: row.updated_at,
    addresses: addressesOf(store, ports),
    accessIPv4: '',
    accessIPv6: '',
    'OS-DCF:diskConfig': 'MANUAL',
    ...(row.status === 'ERROR' ? {} : { progress: row.status === 'BUILD' ? 0 : 100 }),
    ...(row.fault === null ? {} : { fault: row.fault }),
    'OS-EXT-AZ:availability_zone': 'nova',
    config_drive: '',
    key_name: row.key_name,
    'OS-SRV-USG:launched_at': row.launched_at?.replace('Z', '.000000') ?? null,
    'OS-SRV-USG:terminated_at': null,
    security_groups: groupsOf(store, ports),
    ...(caller.isAdmin ? hostView(row) : {}),
    'OS-EXT-STS:task_state': taskState,
    'OS-EXT-STS:vm_state': vmState,
    'OS-EXT-STS:power_state': powerState,
    'os-extended-volumes:volumes_attached': [],
  };
}

/** As `GET /servers` shows it. */
export function briefView(row: ServerRow, url: string): Record<string, unknown> {
  return { id: row.id, name: row.name, links: linksOf(url, 'servers', row.id) };
}

/** What `POST /servers` answers. */
export function createdView(context: Context, row: ServerRow, url: string): Record<string, unknown> {
  return {
    id: row.id,
    links: linksOf(url, 'servers', row.id),
    'OS-DCF:diskConfig': 'MANUAL',
    security_groups: groupsOf(context.store, portsOf(context.store, row)),
    // Nobody can log in with it; clients want to show one.
    adminPass: row.id.slice(0, 12).replace('-', ''),
  };
}

export function linksOf(url: string, collection: string, id: string): Record<string, unknown>[] {
  return [
    { rel: 'self', href: `${url}/v2.1/${collection}/${id}` },
    { rel: 'bookmark', href: `${url}/${collection}/${id}` },
  ];
}

/** By name of the network: fixed addresses, and the floating ones that lead to them. */
export function addressesOf(store: Store, ports: readonly PortRow[]): Record<string, Record<string, unknown>[]> {
  const shown: Record<string, Record<string, unknown>[]> = {};
  for (const port of ports) {
    const name = store.networks.get(port.network_id)?.name ?? port.network_id;
    const list = shown[name] ?? [];
    shown[name] = list;
    const add = (addr: string, type: string) =>
      list.push({
        version: addr.includes(':') ? 6 : 4,
        addr,
        'OS-EXT-IPS:type': type,
        'OS-EXT-IPS-MAC:mac_addr': port.mac_address,
      });
    for (const { ip_address } of port.fixed_ips) add(ip_address, 'fixed');
    for (const { floating_ip_address } of store.floatingIps.by('port', port.id)) add(floating_ip_address, 'floating');
  }
  return shown;
}

/** As `GET /servers/{id}/os-interface` shows it. */
export function interfaceView(port: PortRow): Record<string, unknown> {
  return {
    port_id: port.id,
    net_id: port.network_id,
    mac_addr: port.mac_address,
    port_state: port.status,
    fixed_ips: port.fixed_ips,
  };
}

/** Those that are still there, in the order of the network cards. */
export function portsOf(store: Store, { id, ports }: ServerRow): PortRow[] {
  return ports.map((port) => store.ports.get(port.id)).filter((port): port is PortRow => port?.device_id === id);
}

function groupsOf(store: Store, ports: readonly PortRow[]): { readonly name: string }[] {
  const ids = new Set(ports.flatMap(({ security_groups }) => security_groups));
  return [...ids].map((id) => ({ name: store.securityGroups.get(id)?.name ?? id }));
}

function hostView(row: ServerRow): Record<string, unknown> {
  return {
    'OS-EXT-SRV-ATTR:host': row.host,
    'OS-EXT-SRV-ATTR:hypervisor_hostname': row.host,
    'OS-EXT-SRV-ATTR:instance_name': `vm-${row.id.slice(0, 8)}`,
  };
}
