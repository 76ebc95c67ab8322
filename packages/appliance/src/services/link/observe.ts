import {
  type Link,
  type Netns,
  type ProxyNeighbour,
  ROUTE_PROTOCOL,
  type RouteEntry,
} from '@astara/kernel/contract.ts';
import { networkOf } from '@astara/model/ip.ts';
import {
  compareHops,
  type HopState,
  type InterfaceState,
  type LinkState,
  noLinks,
  proxyKey,
  type RouteState,
  routeKey,
} from './state.ts';

/** The kernel's default metric of an IPv6 route. */
const IP6_RT_PRIO_USER = 1024;

/**
 * Reads back what is there and ours: interfaces that are or were configured, or, in a namespace of the appliance's own, look like
 * a port that is left over; their addresses, but for those that somebody else gives and takes; routes of our protocol.
 */
export async function observeLinks(
  netns: Pick<Netns, 'name' | 'links' | 'addresses' | 'routes' | 'proxies' | 'readSysctl'>,
  wanted: LinkState,
  former: LinkState = noLinks,
): Promise<LinkState> {
  const [links, found, entries, proxied, sysctls] = await Promise.all([
    netns.links(),
    netns.addresses(),
    netns.routes(),
    netns.proxies(),
    // Also what is to be as it was when this is undone.
    netns.readSysctl([...new Set([...Object.keys(wanted.sysctls), ...Object.keys(former.sysctls)])]),
  ]);
  const interfaces = new Map<string, InterfaceState>();
  for (const link of links) {
    const { ifname, up, mtu, mac } = link;
    const leftOver = netns.name !== null && isPort(link);
    if (wanted.interfaces.has(ifname) || former.interfaces.has(ifname) || leftOver) {
      interfaces.set(ifname, { up, mtu, mac: mac.toLowerCase() });
    }
  }

  const addresses = new Map<string, Set<string>>();
  for (const { ifname, cidr, permanent, scope } of found) {
    if (!interfaces.has(ifname)) continue;
    const ours = has(wanted, ifname, cidr) || has(former, ifname, cidr);
    // Of link-local addresses the kernel makes some itself.
    if (!ours && (!permanent || scope === 'link')) continue;
    // One that was ours goes before it is somebody else's.
    if (wanted.virtual.get(ifname)?.has(cidr) === true && !has(former, ifname, cidr)) continue;
    const known = addresses.get(ifname);
    if (known === undefined) addresses.set(ifname, new Set([cidr]));
    else known.add(cidr);
  }

  const proxies = new Map<string, ProxyNeighbour>();
  for (const proxy of proxied) if (interfaces.has(proxy.ifname)) proxies.set(proxyKey(proxy), proxy);
  return Object.freeze({
    interfaces,
    addresses,
    virtual: wanted.virtual,
    routes: ourRoutes(entries),
    proxies,
    sysctls: Object.freeze(sysctls),
  });
}

function has({ addresses }: LinkState, ifname: string, cidr: string): boolean {
  return addresses.get(ifname)?.has(cidr) === true;
}

/** As the host plugs them in. Daemons make interfaces of other kinds: tunnels, VRRP's virtual MACs. */
function isPort({ ifname, kind }: Link): boolean {
  return ifname !== 'lo' && (kind === undefined || kind === 'veth');
}

function ourRoutes(entries: readonly RouteEntry[]): ReadonlyMap<string, RouteState> {
  const hops = new Map<string, { route: RouteState; hops: HopState[] }>();
  for (const { protocol, destination: text, metric = 0, via, ifname, weight = 1 } of entries) {
    if (protocol !== ROUTE_PROTOCOL) continue;
    const destination = networkOf(text);
    const usual = destination.includes(':') ? IP6_RT_PRIO_USER : 0;
    const route = { destination, hops: [], ...(metric === usual ? {} : { metric }) };
    // To be put back as it is, whatever else is there then.
    const hop = {
      ...(via === undefined ? {} : { via, onlink: true }),
      ...(ifname === undefined ? {} : { ifname }),
      weight,
    };
    const known = hops.get(routeKey(route));
    if (known === undefined) hops.set(routeKey(route), { route, hops: [hop] });
    else known.hops.push(hop);
  }
  return new Map([...hops].map(([key, { route, hops }]) => [key, { ...route, hops: hops.sort(compareHops) }]));
}
