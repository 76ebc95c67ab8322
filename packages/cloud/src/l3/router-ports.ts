import { ipVersion } from '@astara/model/ip.ts';
import { interfaceOwner } from '../network/device-owners.ts';
import type { PortRow, RouterRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** The ports that make a router what it is: all of them carry its id as `device_id`. */

export function interfacesOf(store: Store, routerId: string): PortRow[] {
  return store.ports.by('device', routerId).filter((port) => port.device_owner === interfaceOwner);
}

export function gatewayOf(store: Store, router: RouterRow): PortRow | undefined {
  return router.gw_port_id === null ? undefined : store.ports.get(router.gw_port_id);
}

/** Interfaces and gateway. */
export function attachedTo(store: Store, router: RouterRow): PortRow[] {
  const gateway = gatewayOf(store, router);
  return [...interfacesOf(store, router.id), ...(gateway === undefined ? [] : [gateway])];
}

/** The subnets that the port has addresses in. */
export function subnetsOf(store: Store, port: PortRow): SubnetRow[] {
  const ids = new Set(port.fixed_ips.map((ip) => ip.subnet_id));
  return [...ids].map((id) => store.subnets.get(id)).filter((subnet) => subnet !== undefined);
}

export function hasIpv6(port: PortRow): boolean {
  return port.fixed_ips.some((ip) => ipVersion(ip.ip_address) === 6);
}
