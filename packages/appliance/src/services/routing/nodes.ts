import type { DnsName, Ifname, Ip, Prefix, Printable } from '../../values.ts';

/** What one BIRD does for an appliance, before it is text. */
export interface RoutingNode {
  readonly routerId: Ip;
  readonly ra: readonly RaNode[];
  readonly bgp?: BgpNode;
}

/** Router advertisements of one interface (RFC 4861 §6.2.1). All times are seconds. */
export interface RaNode {
  readonly ifname: Ifname;
  readonly mtu?: number;
  /** Addresses from DHCPv6. */
  readonly managed: boolean;
  /** Other settings from DHCPv6. */
  readonly other: boolean;
  readonly routerLifetime: number;
  readonly preference: 'low' | 'medium' | 'high';
  readonly maxInterval: number;
  /** The least time between two of them. */
  readonly minDelay: number;
  readonly prefixes: readonly RaPrefixNode[];
  readonly nameservers: readonly Lasting<Ip>[];
  readonly searchDomains: readonly Lasting<DnsName>[];
}

export interface RaPrefixNode {
  readonly prefix: Prefix;
  readonly autonomous: boolean;
  readonly valid: number;
  readonly preferred: number;
}

export interface Lasting<T> {
  readonly value: T;
  readonly lifetime: number;
}

export interface BgpNode {
  readonly asn: number;
  readonly maximumPaths: number;
  readonly neighbors: readonly NeighborNode[];
  /** Ours, as host routes. */
  readonly floating: readonly Prefix[];
  /** What else any neighbour is told of. */
  readonly announced: readonly Prefix[];
  /** Announced to those who want the tenants' subnets. */
  readonly tenant: readonly Prefix[];
  /** Nobody may send us routes into these. */
  readonly attached: readonly Prefix[];
  /** How next hops are reached that are not on a network of ours. */
  readonly ways: readonly { readonly destination: Prefix; readonly via: Ip }[];
  readonly bfd: BfdNode;
}

export interface NeighborNode {
  readonly address: Ip;
  /** Of a link-local address. */
  readonly ifname?: Ifname;
  readonly asn: number;
  /** Ours; BIRD chooses when it is absent. */
  readonly localAddress?: Ip;
  readonly password?: Printable;
  readonly multihop?: number;
  readonly passive: boolean;
  readonly bfd: boolean;
  readonly holdTime: number;
  readonly maxPrefixes: number;
  readonly exportFloating: boolean;
  readonly exportTenant: boolean;
  readonly exportPrefixes: readonly Prefix[];
  /** Two or three numbers. */
  readonly communities: readonly (readonly number[])[];
  readonly importDefault: boolean;
  readonly importPrefixes: readonly Prefix[];
}

/** RFC 5880; ms. */
export interface BfdNode {
  readonly minRx: number;
  readonly minTx: number;
  readonly multiplier: number;
}
