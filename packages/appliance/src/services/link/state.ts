import type { ProxyNeighbour } from '@astara/kernel/contract.ts';

/** Interfaces, addresses, routes and kernel switches of an appliance: as they shall be, or as they were found. */
export interface LinkState {
  readonly interfaces: ReadonlyMap<string, InterfaceState>;
  /** Canonical address / prefix, by interface; in the order in which they are added: its own before its floating ones. */
  readonly addresses: Addresses;
  /** Addresses that somebody else gives and takes (keepalived): neither missed nor minded. */
  readonly virtual: Addresses;
  /** By {@link routeKey}. */
  readonly routes: ReadonlyMap<string, RouteState>;
  /** Whom the interfaces answer for, by {@link proxyKey}. */
  readonly proxies: ReadonlyMap<string, ProxyNeighbour>;
  /** Below /proc/sys; order matters (ip_forward resets others). */
  readonly sysctls: Readonly<Record<string, string>>;
}

export type Addresses = ReadonlyMap<string, ReadonlySet<string>>;

export interface InterfaceState {
  readonly up: boolean;
  /** Absent: whatever it is. */
  readonly mtu?: number;
  readonly mac?: string;
}

export interface RouteState {
  /** Canonical network. */
  readonly destination: string;
  /** Absent: the kernel's default. One that is there was made by somebody else. */
  readonly metric?: number;
  /** In the order of {@link compareHops}. */
  readonly hops: readonly HopState[];
}

export interface HopState {
  /** Absent: what is meant is on the interface itself. */
  readonly via?: string;
  readonly ifname?: string;
  /** With `via`: that it is a neighbour is known here. The kernel need not find out, which depends on the order of routes. */
  readonly onlink?: boolean;
  readonly weight: number;
}

export const noLinks: LinkState = Object.freeze({
  interfaces: new Map(),
  addresses: new Map(),
  virtual: new Map(),
  routes: new Map(),
  proxies: new Map(),
  sysctls: Object.freeze({}),
});

export function routeKey({ destination, metric }: RouteState): string {
  return metric === undefined ? destination : `${destination} metric ${metric}`;
}

export function proxyKey({ ifname, address }: ProxyNeighbour): string {
  return `${ifname} ${address}`;
}

export function compareHops(a: HopState, b: HopState): number {
  return compare(a.via, b.via) || compare(a.ifname, b.ifname);
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `onlink` cannot be read back, and follows from the rest. */
export function sameRoute(a: RouteState, b: RouteState): boolean {
  return (
    a.hops.length === b.hops.length &&
    a.hops.every(({ via, ifname, weight }, index) => {
      const other = b.hops[index];
      // A single one has all of the traffic, whatever its weight.
      const same = weight === other?.weight || a.hops.length === 1;
      return via === other?.via && ifname === other?.ifname && same;
    })
  );
}
