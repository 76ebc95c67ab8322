import type { Context } from '../api/resource.ts';
import { gatewayOwner } from '../network/device-owners.ts';
import type { FixedIpRequest } from '../network/fixed-ips.ts';
import { namedNetwork } from '../network/networks.ts';
import { changePort, dropPort, makePort } from '../network/ports.ts';
import type { PortRow, RouterRow } from '../store/rows.ts';
import { badRequest, gatewayInUse, gatewayNotAllowed } from './faults.ts';
import { forbidOverlap } from './overlap.ts';
import { gatewayOf, interfacesOf } from './router-ports.ts';
import { checkRoutesWithout } from './routes.ts';

/** `external_gateway_info` of a request. */
export interface GatewayRequest {
  readonly network_id: string;
  readonly enable_snat?: boolean;
  readonly external_fixed_ips?: readonly FixedIpRequest[];
}

type GatewayPatch = Pick<RouterRow, 'gw_port_id' | 'enable_snat'>;

/** Gives the router the gateway, in place of the one it has; undefined takes it away. Answers what changes of the router's row. */
export function setGateway(context: Context, router: RouterRow, wanted: GatewayRequest | undefined): GatewayPatch {
  checkNetwork(context, wanted);
  const { store } = context;
  const subnets = wanted === undefined ? [] : store.subnets.by('network', wanted.network_id);
  checkRoutesWithout(store, router, subnets, interfacesOf(store, router.id));
  return { enable_snat: wanted?.enable_snat ?? true, gw_port_id: placeGateway(context, router, wanted)?.id ?? null };
}

/** The router's gateway goes, with its address. Throws while floating IPs need it. */
export function removeGateway(context: Context, router: RouterRow): void {
  const port = gatewayOf(context.store, router);
  if (port === undefined) return;
  if (context.store.floatingIps.by('router', router.id).length > 0) throw gatewayInUse(router.id, port.network_id);
  dropPort(context, port);
}

function checkNetwork(context: Context, wanted: GatewayRequest | undefined): void {
  if (wanted === undefined) return;
  if (!context.caller.isAdmin) {
    if (wanted.enable_snat !== undefined) throw gatewayNotAllowed('enable_snat');
    if (wanted.external_fixed_ips !== undefined) throw gatewayNotAllowed('external_fixed_ips');
  }
  const network = namedNetwork(context, wanted.network_id);
  if (!network.external) throw badRequest('router', `Network ${network.id} is not an external network`);
  const gateways = context.store.subnets.by('network', network.id).map((subnet) => subnet.gateway_ip);
  for (const { ip_address } of wanted.external_fixed_ips ?? []) {
    if (ip_address !== undefined && gateways.includes(ip_address))
      throw badRequest('router', `External IP ${ip_address} is the same as the gateway IP`);
  }
}

function placeGateway(context: Context, router: RouterRow, wanted: GatewayRequest | undefined): PortRow | undefined {
  const { store } = context;
  const port = gatewayOf(store, router);
  if (port !== undefined && port.network_id === wanted?.network_id) {
    const addresses = wanted.external_fixed_ips ?? [];
    return differs(port, addresses) ? changePort(context, port, { fixed_ips: addresses }) : port;
  }
  removeGateway(context, router);
  if (wanted === undefined) return undefined;
  forbidOverlap(store, { ...router, gw_port_id: null }, store.subnets.by('network', wanted.network_id));
  const addresses = wanted.external_fixed_ips ?? [];
  return makePort(context, {
    network_id: wanted.network_id,
    // Not the tenant's: it does not see it.
    project_id: '',
    device_id: router.id,
    device_owner: gatewayOwner,
    ...(addresses.length === 0 ? {} : { fixed_ips: addresses }),
  });
}

/** Addresses that are asked for by subnet alone are no change when the port has one there. */
function differs(port: PortRow, wanted: readonly FixedIpRequest[]): boolean {
  if (wanted.length === 0) return false;
  const has = (asked: FixedIpRequest) =>
    port.fixed_ips.some(
      (ip) =>
        ip.subnet_id === (asked.subnet_id ?? ip.subnet_id) && ip.ip_address === (asked.ip_address ?? ip.ip_address),
    );
  return wanted.length !== port.fixed_ips.length || !wanted.every(has);
}
