import { ipVersion } from '@astara/model/ip.ts';
import type { Context } from '../api/resource.ts';
import { dhcpOwner } from '../network/device-owners.ts';
import { subnetNotFound } from '../network/faults.ts';
import type { FloatingIpRow, PortRow } from '../store/rows.ts';
import { alreadyAssociated, badRequest, noWayOut } from './faults.ts';
import { visiblePort } from './visible.ts';
import { wayOut } from './way-out.ts';

/** What makes a floating IP lead somewhere. All null: it does not. */
export type Association = Pick<FloatingIpRow, 'port_id' | 'fixed_ip_address' | 'router_id'>;

/** As a request may have it; a key left out stays as it is. */
export interface AssociationRequest {
  readonly port_id?: string | null;
  readonly fixed_ip_address?: string | null;
}

export function associate(context: Context, floatingIp: FloatingIpRow, asked: AssociationRequest): Association {
  const address = asked.fixed_ip_address ?? null;
  const portId = asked.port_id ?? null;
  if (address !== null && portId === null)
    throw badRequest('floatingip', 'fixed_ip_address cannot be specified without a port_id');
  if (asked.port_id === undefined) return floatingIp;
  // With port forwardings it belongs to a router without leading to one port.
  if (portId === null) {
    const router_id = floatingIp.port_id === null ? floatingIp.router_id : null;
    return { port_id: null, fixed_ip_address: null, router_id };
  }
  const found = lead(context, floatingIp, portId, address);
  const { store } = context;
  const taken = store.floatingIps
    .by('port', portId)
    .some(
      (other) =>
        other.floating_network_id === floatingIp.floating_network_id &&
        other.fixed_ip_address === found.fixed_ip_address,
    );
  if (portId !== floatingIp.port_id && taken) throw alreadyAssociated(floatingIp, portId, found.fixed_ip_address);
  return found;
}

function lead(context: Context, floatingIp: FloatingIpRow, portId: string, address: string | null) {
  const { store, caller } = context;
  const port = visiblePort(context, portId);
  if (port.project_id !== floatingIp.project_id && !caller.isAdmin) {
    const why = `Cannot process floating IP association with Port ${portId}, since that port is owned by a different tenant`;
    throw badRequest('floatingip', why);
  }
  // Neutron forgets to fill in its own message here.
  if (port.device_owner === dhcpOwner)
    throw badRequest('floatingip', 'Port %(id)s is unable to be assigned a floating IP');
  const fixed = fixedIpOf(port, address);
  const subnet = store.subnets.get(fixed.subnet_id);
  if (subnet === undefined) throw subnetNotFound(fixed.subnet_id);
  const router_id = wayOut(store, subnet, floatingIp.floating_network_id);
  if (router_id === undefined) throw noWayOut(subnet.id, floatingIp.floating_network_id, portId);
  return { port_id: portId, fixed_ip_address: fixed.ip_address, router_id };
}

function fixedIpOf(port: PortRow, address: string | null): PortRow['fixed_ips'][number] {
  if (address !== null && ipVersion(address) !== 4) {
    const why = `Cannot process floating IP association with ${address}, since that is not an IPv4 address`;
    throw badRequest('floatingip', why);
  }
  const candidates = port.fixed_ips.filter((ip) => ipVersion(ip.ip_address) === 4);
  if (address !== null) {
    const fixed = candidates.find((ip) => ip.ip_address === address);
    if (fixed === undefined) throw badRequest('floatingip', `Port ${port.id} does not have fixed ip ${address}`);
    return fixed;
  }
  const [only, ...others] = candidates;
  if (only === undefined)
    throw badRequest('floatingip', `Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`);
  if (others.length > 0) {
    const why = `Port ${port.id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP`;
    throw badRequest('floatingip', why);
  }
  return only;
}
