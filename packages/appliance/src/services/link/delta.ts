import type { ProxyNeighbour } from '@astara/kernel/contract.ts';
import { type Addresses, type InterfaceState, type LinkState, type RouteState, sameRoute } from './state.ts';
import { DEFAULT_MTU, IPV6_MIN_MTU, resets } from './sysctls.ts';

/** How two states differ. What has changed is on both sides. */
export interface Delta {
  readonly come: Side;
  readonly gone: Side;
}

export interface Side {
  /** Only what differs; all of an interface that the other side does not have. */
  readonly interfaces: ReadonlyMap<string, Partial<InterfaceState>>;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: ReadonlyMap<string, RouteState>;
  readonly proxies: readonly ProxyNeighbour[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** All of it, also what the other side has as well. */
  readonly state: LinkState;
}

export interface InterfaceAddress {
  readonly ifname: string;
  readonly cidr: string;
}

export function deltaOf(before: LinkState, after: LinkState): Delta {
  return { come: side(after, before), gone: side(before, after) };
}

/** What leads back. */
export function inverse({ come, gone }: Delta): Delta {
  return { come: gone, gone: come };
}

/** What `state` has and `other` does not. */
function side(state: LinkState, other: LinkState): Side {
  return {
    interfaces: interfacesWithout(state.interfaces, other.interfaces),
    addresses: addressesWithout(state.addresses, other.addresses),
    routes: without(state.routes, other.routes, sameRoute),
    proxies: [...without(state.proxies, other.proxies, () => true).values()],
    sysctls: sysctlsWithout(state.sysctls, other.sysctls),
    state,
  };
}

function without<T>(all: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>, same: (a: T, b: T) => boolean) {
  const left = new Map<string, T>();
  for (const [key, value] of all) {
    const counterpart = other.get(key);
    if (counterpart === undefined || !same(value, counterpart)) left.set(key, value);
  }
  return left;
}

/** Ten thousand floating IPs pass here at every change of one. */
function addressesWithout(all: Addresses, other: Addresses): InterfaceAddress[] {
  const left: InterfaceAddress[] = [];
  for (const [ifname, cidrs] of all) {
    const counterpart = other.get(ifname);
    for (const cidr of cidrs) if (counterpart?.has(cidr) !== true) left.push({ ifname, cidr });
  }
  return left;
}

/** An interface whose MTU does not matter keeps it, unless it is too small for IPv6. */
function usable(mtu: number | undefined): number | undefined {
  return mtu === undefined || mtu >= IPV6_MIN_MTU ? mtu : DEFAULT_MTU;
}

function interfacesWithout(all: LinkState['interfaces'], other: LinkState['interfaces']) {
  const left = new Map<string, Partial<InterfaceState>>();
  for (const [ifname, { up, mtu, mac }] of all) {
    const counterpart = other.get(ifname);
    const change = {
      ...(counterpart?.up === up ? {} : { up }),
      ...(counterpart?.mtu === (mtu ?? usable(counterpart?.mtu)) ? {} : { mtu: mtu ?? DEFAULT_MTU }),
      ...(mac === undefined || counterpart?.mac === mac ? {} : { mac }),
    };
    if (Object.keys(change).length > 0) left.set(ifname, change);
  }
  return left;
}

function sysctlsWithout(all: LinkState['sysctls'], other: LinkState['sysctls']): Record<string, string> {
  const differs = new Set(Object.keys(all).filter((key) => all[key] !== other[key]));
  for (const [key, others] of Object.entries(resets))
    if (differs.has(key)) for (const reset of others) differs.add(reset);
  return Object.fromEntries(Object.entries(all).filter(([key]) => differs.has(key)));
}
