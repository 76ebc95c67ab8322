import { ipBytes } from '@astara/kernel/address.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { ip } from '../../values.ts';
import { translatedAddresses } from '../firewall/addresses.ts';
import { externalFinder } from './externals.ts';
import { compareHops, type HopState, type RouteState } from './state.ts';
import { hasIpv6 } from './sysctls.ts';

type Warn = (text: string) => void;

/**
 * The routes that a configuration asks for, by destination: other subnets of an interface's segment, the ways out, and the static
 * ones, of which several to one destination share its traffic. A static one to everywhere takes the place of the default gateway.
 * `translated`: addresses of the appliance besides those of its interfaces.
 */
export function desiredRoutes(
  config: ApplianceConfig,
  warn: Warn,
  translated: readonly string[] = translatedAddresses(config),
): Map<string, RouteState> {
  const routes = new Map<string, RouteState>();
  const attached = connected(config.networks);
  const onLink = connected(config.networks);
  const unusable = unusableHops(config, translated);

  for (const network of config.networks) {
    for (const cidr of network.on_link_routes ?? []) {
      if (attached.has(cidr) || !canHold(network, cidr)) continue;
      const destination = networkOf(cidr);
      routes.set(destination, single(destination, { ifname: network.interface.ifname, weight: 1 }));
      onLink.add(destination, network.interface.ifname);
    }
  }
  for (const gateway of gateways(config)) {
    const hop = wayOut(config, gateway, onLink);
    const destination = gateway.includes(':') ? '::/0' : '0.0.0.0/0';
    const reason = unusable(gateway);
    if (reason !== undefined) warn(`the default gateway ${gateway} is ${reason}`);
    else if (hop === undefined) warn(`the default gateway ${gateway} is on no network of this appliance`);
    else {
      if (onLink.find(gateway) === undefined && gateway.includes(':') && !isLinkLocal(gateway)) {
        // IPv6 wants to find a next hop on its interface, whatever other routes lead there.
        const host = `${gateway}/128`;
        routes.set(host, single(host, { ifname: hop.ifname, weight: 1 }));
        onLink.add(host, hop.ifname);
      }
      routes.set(destination, single(destination, hop));
    }
  }
  const found = staticHops(config, { onLink, unusable }, warn);
  for (const [destination, hops] of withoutHidingOnes(found, routes, onLink, warn)) {
    routes.set(destination, Object.freeze({ destination, hops: [...hops.values()].sort(compareHops) }));
  }
  return routes;
}

const EVERYWHERE = ['0.0.0.0/0', '::/0'] as const;

/** Next hops of the default routes. */
export function defaultHops(config: ApplianceConfig): readonly HopState[] {
  return hopsOfDefault(desiredRoutes(config, () => undefined));
}

export function hopsOfDefault(routes: ReadonlyMap<string, RouteState>): readonly HopState[] {
  return EVERYWHERE.flatMap((destination) => routes.get(destination)?.hops ?? []);
}

type Hops = ReadonlyMap<string, HopState>;

/**
 * Leaves out the routes that lead elsewhere to what is another route's neighbour. The kernel refuses the other one in IPv6; in IPv4
 * it knows them apart.
 */
function withoutHidingOnes(
  found: ReadonlyMap<string, Hops>,
  others: ReadonlyMap<string, RouteState>,
  onLink: PrefixTable<string>,
  warn: Warn,
): ReadonlyMap<string, Hops> {
  const special = [...found.keys()].filter((destination) => destination.includes(':') && destination !== '::/0');
  if (special.length === 0) return found;
  const left = new Map(found);
  const statics = new PrefixTable<string>();
  for (const destination of special) statics.add(destination, destination);
  const neighbours = [...others.values()].flatMap(({ hops }) => hops.flatMap(({ via = '' }) => via));
  for (const hops of found.values()) neighbours.push(...hops.keys());
  for (const via of new Set(neighbours)) {
    if (!via.includes(':') || isLinkLocal(via)) continue;
    const hiding = statics.match(via);
    if (hiding === undefined || hiding.prefix <= (onLink.match(via)?.prefix ?? 0)) continue;
    if (left.delete(hiding.value)) warn(`static_routes: ${hiding.value} would hide the next hop ${via}`);
  }
  return left;
}

/** In canonical form. */
function gateways({ default_v4_gateway, default_v6_gateway }: ApplianceConfig): string[] {
  return [
    ...(typeof default_v4_gateway === 'string' ? [ip(default_v4_gateway, '/default_v4_gateway')] : []),
    ...(typeof default_v6_gateway === 'string' ? [ip(default_v6_gateway, '/default_v6_gateway')] : []),
  ];
}

function wayOut({ networks }: ApplianceConfig, via: string, onLink: PrefixTable<string>) {
  // A link-local gateway is on every interface; the default route leaves through the external one.
  const reached = isLinkLocal(via) ? undefined : onLink.find(via);
  if (reached !== undefined) return { via, ifname: reached, onlink: true, weight: 1 };
  const able = networks.filter((network) => canHold(network, via));
  const external = externalFinder(able)(via)?.interface.ifname;
  return external === undefined ? undefined : { via, ifname: external, onlink: true, weight: 1 };
}

interface Surroundings {
  /** By the interfaces' own addresses, and as other subnets of their segments. */
  readonly onLink: PrefixTable<string>;
  readonly unusable: (address: string) => string | undefined;
}

/** Destination → next hop → the hop. A tenant's mistake must not keep the rest of the router from working. */
function staticHops(
  { static_routes = [] }: ApplianceConfig,
  { onLink, unusable }: Surroundings,
  warn: Warn,
): ReadonlyMap<string, Hops> {
  const found = new Map<string, Map<string, HopState>>();
  static_routes.forEach((route, index) => {
    const field = `/static_routes/${index}`;
    const via = ip(route.nexthop, `${field}/nexthop`);
    const destination = networkOf(route.destination);
    const ifname = onLink.find(via);
    const reason = unusable(via);
    if (reason !== undefined) warn(`${field}: the next hop ${via} is ${reason}`);
    else if (onLink.has(destination)) warn(`${field}: ${destination} is attached`);
    else if (ifname === undefined) warn(`${field}: the next hop ${via} is on no network`);
    else {
      const hops = found.get(destination) ?? new Map<string, HopState>();
      if (hops.has(via)) warn(`${field}: ${via} is a next hop of ${destination} already; the last one counts`);
      hops.set(via, Object.freeze({ via, ifname, onlink: true, weight: route.weight ?? 1 }));
      found.set(destination, hops);
    }
  });
  return found;
}

/** Says why an address cannot be a next hop: the kernel refuses these. */
function unusableHops(config: ApplianceConfig, translated: readonly string[]) {
  const { networks } = config;
  const reasons = new Map<string, string>();
  for (const { interface: port } of networks) {
    for (const cidr of port.addresses) {
      const special = specialOf(cidr);
      if (special !== undefined) reasons.set(special, 'not the address of one host');
    }
  }
  for (const { interface: port } of networks) {
    for (const cidr of port.addresses) reasons.set(addressOf(cidr), 'this appliance itself');
  }
  // Few next hops, many floating IPs.
  const hops = new Set<string>([...gateways(config), ...(config.static_routes ?? []).map(({ nexthop }) => nexthop)]);
  for (const address of translated) if (hops.has(address)) reasons.set(address, 'this appliance itself');
  return (address: string) => reasons.get(address);
}

/** A subnet's broadcast address, or its anycast address of routers (RFC 4291 §2.6.1), which we have as well. */
function specialOf(cidr: string): string | undefined {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) return undefined;
  const { version, prefix } = parsed;
  const [network = ''] = networkOf(cidr).split('/');
  if (version === 6) return prefix < 127 ? network : undefined;
  return prefix < 31 ? lastOf(network, prefix) : undefined;
}

function lastOf(network: string, prefix: number): string {
  const last = ipBytes(network).readUInt32BE() + 2 ** (32 - prefix) - 1;
  return [24, 16, 8, 0].map((shift) => (last >>> shift) & 255).join('.');
}

/** Prefixes reached without a gateway → the interface they are on. */
function connected(networks: readonly Network[]): PrefixTable<string> {
  const table = new PrefixTable<string>();
  for (const network of networks) {
    for (const cidr of network.interface.addresses) {
      if (canHold(network, cidr)) table.add(cidr, network.interface.ifname);
    }
  }
  return table;
}

/** Whether the interface has this version of IP. */
function canHold(network: Network, text: string): boolean {
  return !text.includes(':') || hasIpv6(network);
}

function single(destination: string, hop: HopState): RouteState {
  return Object.freeze({ destination, hops: [Object.freeze(hop)] });
}

function addressOf(cidr: string): string {
  const parsed = parseCidr(cidr);
  return parsed === undefined ? cidr : ip(parsed.address, 'address');
}

/** RFC 4291 §2.5.6: fe80::/10. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}
