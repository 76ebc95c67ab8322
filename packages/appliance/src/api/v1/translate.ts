import type { Allocation2016, Config2016, Network2016, Subnet2016 } from '@astara/model/appliance/api/v1.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Ha } from '@astara/model/appliance/ha.ts';
import type { Allocation, Network, Subnet } from '@astara/model/appliance/network.ts';
import type { Bgp } from '@astara/model/appliance/routing.ts';
import { contains, networkOf, parseCidr } from '@astara/model/ip.ts';
import type { Invalid } from '@astara/model/validate.ts';
import { translateAnchors } from './anchors.ts';
import type { VirtualNames } from './names.ts';
import { translateVpn } from './vpn.ts';

export interface Surroundings {
  readonly names: VirtualNames;
  /** Of what is in force: version 1 knows no generations, and a push of it is never too old. */
  readonly generation: number;
}

export type Translated =
  | { readonly ok: true; readonly config: ApplianceConfig; readonly origins: Origins }
  | { readonly ok: false; readonly errors: readonly Invalid[] };

/** Where a part of today's configuration comes from: JSON pointer of today → of 2016. Parts that are named alike are not here. */
export type Origins = ReadonlyMap<string, string>;

/** Where the appliance of 2016 looked for its orchestrator, when nobody told it. */
const ORCHESTRATOR = { address: 'fdca:3ba5:a17a:acda::1', port: 9697 };
const DOMAIN = 'local';
const ULA = 'fc00::/7';

/**
 * A configuration of 2016 in today's words. Pure. What the appliance of 2016 did by itself is said here: it advertised every
 * IPv6 subnet of a tenant's network, took the first gateway of the external network where none was given, and spoke BGP
 * with the IPv6 gateways outside.
 */
export function translate(body: Config2016, { names, generation }: Surroundings): Translated {
  const errors: Invalid[] = [];
  const origins = new Map<string, string>();
  const real = (virtual: string, field: string): string => {
    const found = names.get(virtual);
    if (found === undefined) {
      errors.push({ field, message: `${virtual} does not exist: there are ${[...names.keys()].join(', ')}` });
    }
    return found ?? '';
  };
  const sent = body.networks ?? [];
  const networks = sent.map((network, index) => translateNetwork(network, `/networks/${index}`, real, errors));
  const subnets = sent.flatMap((network) => network.subnets ?? []);
  const config: ApplianceConfig = {
    generation,
    hostname: body.hostname,
    tenant_id: body.tenant_id,
    networks,
    default_v4_gateway: body.default_v4_gateway || gateways(sent, 4)[0] || null,
    default_v6_gateway: gateways(sent, 6)[0] ?? null,
    floating_ips: body.floating_ips ?? [],
    metadata: { endpoint: endpoint(body.orchestrator ?? {}) },
    ...some(
      'static_routes',
      body.static_routes?.map(([destination, nexthop]) => ({ destination, nexthop })),
    ),
    ...some('labels', body.labels),
    ...some('address_book', body.address_book),
    ...some('anchors', body.anchors && translateAnchors(body.anchors, real)),
    ...some('bgp', translateBgp(body, sent)),
    ...some('ha', translateHa(body, networks, origins, errors)),
    ...some('vpn', translateVpn(body.vpn?.ipsec ?? [], subnets, origins, errors)),
  };
  origins.set('/metadata/endpoint', '/orchestrator/address').set('/bgp', '/asn');
  return errors.length === 0 ? { ok: true, config, origins } : { ok: false, errors };
}

/** The same errors, of fields as 2016 called them. */
export function asSent(errors: readonly Invalid[], origins: Origins): Invalid[] {
  return errors.map(({ field, message }) => {
    for (let end = field.length; end > 0; end = field.lastIndexOf('/', end - 1)) {
      const origin = origins.get(field.slice(0, end));
      if (origin !== undefined) return { field: origin + field.slice(end), message };
    }
    return { field, message };
  });
}

function some<const K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };
}

function translateNetwork(
  network: Network2016,
  field: string,
  real: (virtual: string, field: string) => string,
  errors: Invalid[],
): Network {
  const { network_type: type = 'isolated', interface: card } = network;
  if (type === 'loadbalancer') {
    errors.push({ field: `${field}/network_type`, message: 'this appliance is no load balancer' });
  }
  const served = type === 'internal' || type === 'isolated';
  const mtu = card.mtu ?? network.mtu ?? undefined;
  return {
    network_id: network.network_id,
    name: network.name ?? '',
    network_type: type === 'loadbalancer' ? 'isolated' : type,
    interface: {
      ifname: real(card.ifname, `${field}/interface/ifname`),
      addresses: card.addresses ?? [],
      ...(mtu === undefined ? {} : { mtu }),
    },
    v4_conf_service: network.v4_conf_service ?? 'static',
    v6_conf_service: network.v6_conf_service ?? 'static',
    subnets: (network.subnets ?? []).map((subnet) => translateSubnet(subnet, served)),
    allocations: (network.allocations ?? []).map(translateAllocation),
    dns_domain: domainOf(network.allocations ?? []),
  };
}

function translateSubnet({ host_routes, gateway_ip, dhcp_enabled, ...subnet }: Subnet2016, served: boolean): Subnet {
  const dhcp = dhcp_enabled ?? false;
  const advertised = served && parseCidr(subnet.cidr)?.version === 6;
  return {
    ...subnet,
    gateway_ip: gateway_ip || null,
    dhcp_enabled: dhcp,
    host_routes: host_routes ?? [],
    ...(advertised ? { ipv6_ra_mode: dhcp ? ('dhcpv6-stateful' as const) : ('slaac' as const) } : {}),
  };
}

function translateAllocation({ hostname, device_id, ...allocation }: Allocation2016): Allocation {
  const [label = ''] = hostname.split('.');
  return { ...allocation, hostname: labelOf(label), device_id: device_id ?? '' };
}

/** The names were made of addresses, and `fd00::` gave `fd00--`, which is none. */
function labelOf(text: string): string {
  return text.slice(0, 63).replace(/^-+/, '').replace(/-+$/, '') || 'host';
}

/** A network has one domain here; in 2016 each name had its own, and all the same. */
function domainOf(allocations: readonly Allocation2016[]): string {
  const { hostname = '' } = allocations[0] ?? {};
  const dot = hostname.indexOf('.');
  return dot < 0 ? DOMAIN : hostname.slice(dot + 1);
}

/** Of the external networks. */
function gateways(networks: readonly Network2016[], version: 4 | 6): string[] {
  return networks
    .filter(({ network_type }) => network_type === 'external')
    .flatMap(({ subnets = [] }) => subnets)
    .filter(({ cidr }) => parseCidr(cidr)?.version === version)
    .flatMap(({ gateway_ip }) => gateway_ip || []);
}

function endpoint({ address, metadata_port: port }: NonNullable<Config2016['orchestrator']>): string {
  const host = address ?? ORCHESTRATOR.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port ?? ORCHESTRATOR.port}`;
}

/** Global prefixes of tenants are announced, and all is taken: there is a session with each IPv6 gateway outside. */
function translateBgp({ asn, neighbor_asn }: Config2016, networks: readonly Network2016[]): Bgp | undefined {
  const neighbors = [...new Set(gateways(networks, 6))];
  if (asn === undefined || asn === null || neighbors.length === 0) return undefined;
  const prefixes = networks
    .filter(({ network_type }) => network_type === 'internal')
    .flatMap(({ subnets = [] }) => subnets)
    .filter(({ cidr, gateway_ip }) => gateway_ip && parseCidr(cidr)?.version === 6 && !isLocal(cidr))
    .map(({ cidr }) => networkOf(cidr));
  return {
    asn,
    neighbors: neighbors.map((address) => ({
      address,
      asn: neighbor_asn ?? asn,
      export: { floating_ips: false, tenant_subnets: false, prefixes },
      import: { prefixes: ['::/0'] },
    })),
  };
}

function isLocal(cidr: string): boolean {
  const parsed = parseCidr(cidr);
  return parsed !== undefined && contains(ULA, parsed.address);
}

/** Members heard each other on the management network. */
function translateHa(
  { ha_resource, ha_config = {}, tenant_id, hostname }: Config2016,
  networks: readonly Network[],
  origins: Map<string, string>,
  errors: Invalid[],
): Ha | undefined {
  if (ha_resource !== true) return undefined;
  const management = networks.find(({ network_type }) => network_type === 'management');
  if (management === undefined) {
    errors.push({ field: '/ha_resource', message: 'needs a management network, where the members hear each other' });
    return undefined;
  }
  origins.set('/ha', '/ha_config').set('/ha/interface', '/ha_resource').set('/ha/vrid', '/ha_resource');
  const { priority = 0, peers = [] } = ha_config;
  return {
    vrid: vrid(`${tenant_id} ${hostname}`),
    priority: Math.min(Math.max(priority, 1), 254),
    interface: management.interface.ifname,
    peers,
  };
}

/** From 1 to 255: the same in all members, and seldom that of another router. */
function vrid(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 255;
  return sum + 1;
}
