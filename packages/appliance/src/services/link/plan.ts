import type { NetOperation } from '@astara/kernel/contract.ts';
import type { Delta, InterfaceAddress } from './delta.ts';
import type { HopState, LinkState, RouteState } from './state.ts';
import { DEFAULT_MTU, IPV6_MIN_MTU } from './sysctls.ts';

/** What is done to the kernel, in this order. */
export interface KernelWork {
  /** MTU and MAC: with an MTU that is too small there is no IPv6 to be switched. */
  readonly prepare: readonly NetOperation[];
  /** Before an interface is up: they say how it behaves. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly operations: readonly NetOperation[];
}

/** Before the firewall switches, so that whatever it lets through can be reached. */
export function buildWork({ come, gone }: Delta): KernelWork {
  const prepare: NetOperation[] = [];
  const operations = replacedPrefixes(come.addresses, gone.addresses);
  for (const [ifname, { up, ...rest }] of come.interfaces) {
    if (Object.keys(rest).length > 0) prepare.push({ op: 'link-set', ifname, ...rest });
    if (up !== undefined) operations.push({ op: 'link-set', ifname, up });
  }
  for (const { ifname, cidr } of come.addresses) operations.push({ op: 'address-add', ifname, cidr });
  for (const address of nextHopsThatWereOurs(come.routes.values(), gone.addresses)) operations.push(address);
  for (const route of come.routes.values()) operations.push(routeReplace(route));
  for (const proxy of come.proxies) operations.push({ op: 'proxy-add', ...proxy });
  return { prepare, sysctls: come.sysctls, operations };
}

/** After it, so that nothing is taken away that is still let through. */
export function removeWork({ come, gone }: Delta): KernelWork {
  const operations: NetOperation[] = [];
  for (const [key, { destination, metric }] of gone.routes) {
    if (come.routes.has(key)) continue;
    operations.push({ op: 'route-delete', destination, ...(metric === undefined ? {} : { metric }) });
  }
  for (const proxy of gone.proxies) operations.push({ op: 'proxy-delete', ...proxy });
  for (const address of gone.addresses) operations.push({ op: 'address-delete', ...address });
  // What is left of a network that went: its interface, until the host unplugs it, or somebody else wants it.
  for (const [ifname, { up, mtu = DEFAULT_MTU }] of gone.interfaces) {
    if (up !== true || come.interfaces.has(ifname)) continue;
    operations.push({ op: 'link-set', ifname, up: false, ...(mtu < IPV6_MIN_MTU ? { mtu: DEFAULT_MTU } : {}) });
  }
  operations.push(...whatWentAlong(gone.addresses, come.state));
  return { prepare: [], sysctls: {}, operations };
}

/**
 * With the last address of a subnet the kernel may drop routes through it, also those that another address still serves; with the
 * last IPv4 address of an interface, all of its IPv4 routes and proxies.
 */
function whatWentAlong(gone: readonly InterfaceAddress[], { addresses, routes, proxies }: LinkState): NetOperation[] {
  const without = new Set<string>();
  const disturbed = new Set<string>();
  for (const { ifname, cidr } of gone) {
    if (disturbed.has(ifname) && without.has(ifname)) continue;
    if (!isHost(cidr)) disturbed.add(ifname);
    if (!cidr.includes(':') && !hasIpv4(addresses.get(ifname))) without.add(ifname);
  }
  const operations: NetOperation[] = [];
  if (disturbed.size + without.size === 0) return operations;
  for (const route of routes.values()) {
    const lost = route.hops.some(({ ifname = '' }) => disturbed.has(ifname) || without.has(ifname));
    if (lost) operations.push(routeReplace(route));
  }
  for (const proxy of proxies.values()) if (without.has(proxy.ifname)) operations.push({ op: 'proxy-add', ...proxy });
  return operations;
}

function hasIpv4(cidrs: ReadonlySet<string> | undefined): boolean {
  for (const cidr of cidrs ?? []) if (!cidr.includes(':')) return true;
  return false;
}

export function isEmpty({ prepare, sysctls, operations }: KernelWork): boolean {
  return prepare.length + operations.length + Object.keys(sysctls).length === 0;
}

/** The kernel keeps the prefix length that an IPv6 address has: it has to go before it comes with another one. */
function replacedPrefixes(come: readonly InterfaceAddress[], gone: readonly InterfaceAddress[]): NetOperation[] {
  const coming = new Set<string>();
  for (const address of come) if (address.cidr.includes(':')) coming.add(bare(address));
  if (coming.size === 0) return [];
  return gone
    .filter((address) => address.cidr.includes(':') && coming.has(bare(address)))
    .map((address) => ({ op: 'address-delete', ...address }));
}

/** An address that we have cannot be a next hop: it goes before the routes through it come. */
function nextHopsThatWereOurs(routes: Iterable<RouteState>, gone: readonly InterfaceAddress[]): NetOperation[] {
  if (gone.length === 0) return [];
  const hops = new Set<string | undefined>();
  for (const route of routes) for (const { via } of route.hops) hops.add(via);
  return gone
    .filter(({ cidr }) => hops.has(cidr.slice(0, cidr.indexOf('/'))))
    .map((address) => ({ op: 'address-delete', ...address }));
}

function bare({ ifname, cidr }: InterfaceAddress): string {
  return `${ifname} ${cidr.slice(0, cidr.indexOf('/'))}`;
}

function routeReplace({ destination, metric, hops }: RouteState): NetOperation {
  const target = { op: 'route-replace', destination, ...(metric === undefined ? {} : { metric }) } as const;
  const [first] = hops;
  if (first === undefined || hops.length === 1) return { ...target, ...hopOf(first) };
  return {
    ...target,
    hops: hops.flatMap((hop) => {
      const { via, ...rest } = hopOf(hop);
      return via === undefined ? [] : [{ via, ...rest, weight: hop.weight }];
    }),
  };
}

function hopOf(hop: HopState | undefined) {
  const { via, ifname, onlink } = hop ?? {};
  return {
    ...(via === undefined ? {} : { via }),
    ...(ifname === undefined ? {} : { ifname }),
    ...(onlink === true && via !== undefined && ifname !== undefined ? { onlink } : {}),
  };
}

function isHost(cidr: string): boolean {
  return cidr.endsWith(cidr.includes(':') ? '/128' : '/32');
}
