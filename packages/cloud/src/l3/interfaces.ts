import { BlockList } from 'node:net';
import { contains } from '@astara/model/ip.ts';
import { isUuid, quoted } from '../api/parse.ts';
import type { Body, Context } from '../api/resource.ts';
import { interfaceOwner } from '../network/device-owners.ts';
import { changePort, dropPort, makePort } from '../network/ports.ts';
import type { PortRow, RouterRow, SubnetRow } from '../store/rows.ts';
import {
  badRequest,
  interfaceInUseByFloatingIp,
  interfaceNotFound,
  interfaceNotFoundForSubnet,
  portInUse,
  subnetMismatch,
} from './faults.ts';
import { forbidOverlap } from './overlap.ts';
import { hasIpv6, interfacesOf, subnetsOf } from './router-ports.ts';
import { forbidWhileRouted } from './routes.ts';
import { visiblePort, visibleSubnet } from './visible.ts';

/** What add_router_interface and remove_router_interface answer, and tell the world. */
export interface InterfaceInfo extends Record<string, unknown> {
  readonly id: string;
  readonly tenant_id: string;
  readonly port_id: string;
  readonly network_id: string;
  readonly subnet_id: string;
  readonly subnet_ids: readonly string[];
}

interface Asked {
  readonly port_id?: string;
  readonly subnet_id?: string;
}

export function addInterface(context: Context, router: RouterRow, body: Body): InterfaceInfo {
  const asked = parseAsked(body);
  if (asked.port_id !== undefined && asked.subnet_id !== undefined)
    throw badRequest('router', 'Cannot specify both subnet-id and port-id');
  if (asked.port_id !== undefined) {
    const port = attachPort(context, router, asked.port_id);
    return answer(router, port, subnetsOf(context.store, port), 'last');
  }
  const subnet = visibleSubnet(context, asked.subnet_id ?? '');
  return answer(router, attachSubnet(context, router, subnet), [subnet], 'last');
}

export function removeInterface(context: Context, router: RouterRow, body: Body): InterfaceInfo {
  const asked = parseAsked(body);
  return asked.port_id === undefined
    ? detachSubnet(context, router, visibleSubnet(context, asked.subnet_id ?? ''))
    : detachPort(context, router, asked.port_id, asked.subnet_id);
}

function parseAsked(body: Body): Asked {
  if (!('port_id' in body) && !('subnet_id' in body))
    throw badRequest('router', 'Either subnet_id or port_id must be specified');
  const given = (name: 'port_id' | 'subnet_id'): Asked => {
    if (!(name in body)) return {};
    if (!isUuid(body[name])) throw badRequest('router', `${quoted(body[name])} is not a valid UUID`);
    return { [name]: body[name] };
  };
  return { ...given('port_id'), ...given('subnet_id') };
}

function attachPort(context: Context, router: RouterRow, id: string): PortRow {
  const { store } = context;
  const port = visiblePort(context, id);
  if (port.device_id !== '') throw portInUse(port.network_id, port.id, port.device_id);
  if (port.fixed_ips.length === 0) throw badRequest('router', 'Router port must have at least one fixed IP');
  const subnets = subnetsOf(store, port);
  for (const subnet of subnets) checkAddressMode(subnet);
  const other = interfacesOf(store, router.id).find(
    (present) => present.network_id === port.network_id && hasIpv6(present),
  );
  if (hasIpv6(port) && other !== undefined) {
    const why = `Cannot have multiple router ports with the same network id if both contain IPv6 subnets. Existing port ${other.id} has IPv6 subnet(s) and network id ${other.network_id}`;
    throw badRequest('router', why);
  }
  forbidOverlap(store, router, subnets);
  if (subnets.filter((subnet) => subnet.ip_version === 4).length > 1)
    throw badRequest('router', 'Cannot have multiple IPv4 subnets on router port');
  checkInPool(context, port, subnets);
  return changePort(context, port, { device_id: router.id, device_owner: interfaceOwner });
}

function attachSubnet(context: Context, router: RouterRow, subnet: SubnetRow): PortRow {
  const { store, caller } = context;
  if (subnet.gateway_ip === null) throw badRequest('router', 'Subnet for router interface must have a gateway IP');
  if (subnet.project_id !== caller.projectId && !caller.isAdmin) {
    const why = `Cannot add interface to router because subnet ${subnet.id} is not owned by project making the request`;
    throw badRequest('router', why);
  }
  checkAddressMode(subnet);
  forbidOverlap(store, router, [subnet]);
  const address = { subnet_id: subnet.id, ip_address: subnet.gateway_ip };
  // All IPv6 prefixes of a network are on one port.
  const shared = interfacesOf(store, router.id).find(
    (port) => subnet.ip_version === 6 && port.network_id === subnet.network_id && hasIpv6(port),
  );
  if (shared !== undefined) return changePort(context, shared, { fixed_ips: [...shared.fixed_ips, address] });
  return makePort(context, {
    network_id: subnet.network_id,
    project_id: router.project_id,
    device_id: router.id,
    device_owner: interfaceOwner,
    fixed_ips: [address],
  });
}

function detachPort(context: Context, router: RouterRow, portId: string, subnetId: string | undefined): InterfaceInfo {
  const { store } = context;
  const port = interfacesOf(store, router.id).find(({ id }) => id === portId);
  if (port === undefined) throw interfaceNotFound(router.id, portId);
  const subnets = subnetsOf(store, port);
  if (subnetId !== undefined && !subnets.some(({ id }) => id === subnetId)) throw subnetMismatch(portId, subnetId);
  for (const subnet of subnets) forbidWhileNeeded(context, router, subnet);
  dropPort(context, port);
  return answer(router, port, subnets, 'first');
}

function detachSubnet(context: Context, router: RouterRow, subnet: SubnetRow): InterfaceInfo {
  const { store } = context;
  const ports = interfacesOf(store, router.id).filter((port) => port.network_id === subnet.network_id);
  if (ports.length > 0) forbidWhileNeeded(context, router, subnet);
  const port = ports.find(({ fixed_ips }) => fixed_ips.some((ip) => ip.subnet_id === subnet.id));
  if (port === undefined) throw interfaceNotFoundForSubnet(router.id, subnet.id);
  const others = port.fixed_ips.filter((ip) => ip.subnet_id !== subnet.id);
  if (others.length > 0) changePort(context, port, { fixed_ips: others });
  else dropPort(context, port);
  return answer(router, port, [subnet], 'first');
}

/** Floating IPs and port forwardings of ports on the subnet go through the interface, and so may routes. */
function forbidWhileNeeded({ store }: Context, router: RouterRow, subnet: SubnetRow): void {
  const isHere = (address: string | null, portId: string | null) =>
    address !== null &&
    contains(subnet.cidr, address) &&
    store.ports.get(portId ?? '')?.fixed_ips.some((ip) => ip.subnet_id === subnet.id) === true;
  for (const floatingIp of store.floatingIps.by('router', router.id)) {
    const needs =
      isHere(floatingIp.fixed_ip_address, floatingIp.port_id) ||
      store.portForwardings
        .by('floatingIp', floatingIp.id)
        .some((rule) => isHere(rule.internal_ip_address, rule.internal_port_id));
    if (needs) throw interfaceInUseByFloatingIp(router.id, subnet.id);
  }
  forbidWhileRouted(router, subnet);
}

function checkAddressMode(subnet: SubnetRow): void {
  if (subnet.ip_version === 4 || subnet.ipv6_ra_mode !== null || subnet.ipv6_address_mode === null) return;
  const why = `IPv6 subnet ${subnet.id} configured to receive RAs from an external router cannot be added to Neutron Router.`;
  throw badRequest('router', why);
}

/** On another project's subnet only addresses of its pools may be taken. */
function checkInPool({ caller }: Context, port: PortRow, subnets: readonly SubnetRow[]): void {
  if (caller.isAdmin) return;
  for (const { subnet_id, ip_address } of port.fixed_ips) {
    const subnet = subnets.find(({ id }) => id === subnet_id);
    if (subnet === undefined || subnet.project_id === caller.projectId) continue;
    const family = `ipv${subnet.ip_version}` as const;
    const pools = new BlockList();
    for (const { start, end } of subnet.allocation_pools) pools.addRange(start, end, family);
    if (pools.check(ip_address, family)) continue;
    const why = `Cannot add interface to router because specified port ${port.id} has an IP address out of the allocation pool of subnet ${subnet_id}, which is not owned by the project making the request`;
    throw badRequest('router', why);
  }
}

function answer(
  router: RouterRow,
  port: PortRow,
  subnets: readonly SubnetRow[],
  which: 'first' | 'last',
): InterfaceInfo {
  return {
    id: router.id,
    tenant_id: port.project_id,
    port_id: port.id,
    network_id: port.network_id,
    subnet_id: subnets.at(which === 'first' ? 0 : -1)?.id ?? '',
    subnet_ids: subnets.map((subnet) => subnet.id),
  };
}
