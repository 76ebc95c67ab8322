import { gatewayOwner, interfaceOwner } from '../network/device-owners.ts';
import type { Change } from '../store/journal.ts';
import type { FloatingIpRow, PortForwardingRow, PortRow, RouterRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/**
 * Routers that their agents must look at again because of these changes. What agents themselves change does not count: bindings,
 * status. Looks at what changed and what hangs on that, never at all routers.
 */
export function touchedRouters(store: Store, changes: readonly Change[]): Set<string> {
  const touched = new Set<string>();
  for (const change of changes) {
    for (const id of affected(store, change)) if (id !== null && store.routers.get(id) !== undefined) touched.add(id);
  }
  return touched;
}

/** One change, told by its table. */
type Told =
  | (Change<RouterRow> & { readonly table: 'routers' })
  | (Change<PortRow> & { readonly table: 'ports' })
  | (Change<FloatingIpRow> & { readonly table: 'floatingips' })
  | (Change<PortForwardingRow> & { readonly table: 'port_forwardings' })
  | (Change<SubnetRow> & { readonly table: 'subnets' })
  | (Change & { readonly table: 'others' });

function affected(store: Store, change: Change): (string | null)[] {
  const told = change as Told;
  switch (told.table) {
    case 'routers':
      return ofRouter(told);
    case 'ports':
      return ofPort(told);
    case 'floatingips':
      return ofFloatingIp(told);
    case 'port_forwardings':
      return [told.before, told.after].map(
        (rule) => store.floatingIps.get(rule?.floatingip_id ?? '')?.router_id ?? null,
      );
    case 'subnets':
      return ofSubnet(store, told);
    default:
      return [];
  }
}

/** A new router is nobody's business before it has a gateway or an interface; tags are no agent's. */
function ofRouter({ before, after }: Change<RouterRow>): (string | null)[] {
  if (after === undefined) return [];
  if (before === undefined) return [after.gw_port_id === null ? null : after.id];
  const same = before.revision_number === after.revision_number || before.tags !== after.tags;
  return [same ? null : after.id];
}

function ofPort({ before, after }: Change<PortRow>): (string | null)[] {
  if (before !== undefined && after !== undefined && sameAddresses(before, after) && sameDevice(before, after))
    return [];
  return [before, after].map((port) => (port !== undefined && isRouters(port) ? port.device_id : null));
}

const isRouters = (port: PortRow) => port.device_owner === interfaceOwner || port.device_owner === gatewayOwner;

function sameAddresses(one: PortRow, other: PortRow): boolean {
  return JSON.stringify(one.fixed_ips) === JSON.stringify(other.fixed_ips);
}

function sameDevice(one: PortRow, other: PortRow): boolean {
  return one.device_id === other.device_id && one.device_owner === other.device_owner;
}

function ofFloatingIp({ before, after }: Change<FloatingIpRow>): (string | null)[] {
  const keys = ['router_id', 'port_id', 'fixed_ip_address', 'description'] as const;
  if (before !== undefined && after !== undefined && keys.every((key) => before[key] === after[key])) return [];
  return [before?.router_id ?? null, after?.router_id ?? null];
}

/** Routers whose way out is the subnet's gateway. */
function ofSubnet(store: Store, { before, after }: Change<SubnetRow>): string[] {
  if (before === undefined || after === undefined || before.gateway_ip === after.gateway_ip) return [];
  const ports = store.ports.by('subnet', after.id).filter((port) => port.device_owner === gatewayOwner);
  return ports.map((port) => port.device_id);
}
