import type { Policies } from '../conntrack/policies.ts';
import type { Rule } from './nodes.ts';

/**
 * One table whose own chains never change: networks, addresses and what other services need are elements of its sets and maps.
 * With all of them empty the table drops everything, which is the state before the first configuration. What tenants filter are
 * chains and sets beside them, which come and go.
 */
export const setTypes = {
  /** Every interface of the configuration, and those of tunnels. */
  known_if: 'ifname',
  /** Between these packets are forwarded: internal, external, and those of tunnels. */
  routing_if: 'ifname',
  internal_if: 'ifname',
  external_if: 'ifname',
  /** Those of IPsec in user space; with the kernel's, packets come in on the external interface. */
  tunnel_if: 'ifname',
  /** Where DHCP and DNS are answered, and sources are checked: routed and isolated networks. */
  service_if: 'ifname',
  /** Where metadata requests are taken. */
  metadata_if: 'ifname',
  /** Where the appliance's API may be reached, and its addresses there, which nobody else may reach. */
  management_if: 'ifname',
  management4: 'ipv4_addr',
  management6: 'ipv6_addr',
  /** What may come from which internal network. */
  source4: 'ifname . ipv4_addr; flags interval',
  source6: 'ifname . ipv6_addr; flags interval',
  /** What other services of the appliance are asked from where: interface, peer, protocol, and port where there is one. */
  open4: 'ifname . ipv4_addr . inet_proto . inet_service; flags interval',
  open6: 'ifname . ipv6_addr . inet_proto . inet_service; flags interval',
  open_protocol4: 'ifname . ipv4_addr . inet_proto; flags interval',
  open_protocol6: 'ifname . ipv6_addr . inet_proto; flags interval',
  /** Subnets that are reached from outside without NAT. */
  routed4: 'ipv4_addr; flags interval',
  routed6: 'ipv6_addr; flags interval',
  /** Ours and theirs of IPsec tunnels: untranslated, and never outside of a tunnel. */
  tunnel4: 'ipv4_addr . ipv4_addr; flags interval',
  tunnel6: 'ipv6_addr . ipv6_addr; flags interval',
  /** The external interfaces while there are tunnels. */
  sealed_if: 'ifname',
  /** Floating IPs whose packets must be seen one by one. */
  limited: 'ipv4_addr',
} as const;

/** Sets whose elements have a rate of their own: `bytes per second/bytes of burst`. */
export const limitTypes = {
  limit_in: 'ipv4_addr; limit rate over 1 bytes/second',
  limit_out: 'ipv4_addr; limit rate over 1 bytes/second',
} as const;

export const mapTypes = {
  /** External interface and share → the address that internal sources of that share leave with. */
  snat_to: 'ifname . mark : ipv4_addr',
  /** Floating → fixed. */
  fip_in: 'ipv4_addr : ipv4_addr',
  /** Fixed → floating. */
  fip_out: 'ipv4_addr : ipv4_addr',
  /** One forwarded port; ports that are the same inside. */
  forwarded: 'ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service',
  forwarded_range: 'ipv4_addr . inet_proto . inet_service : ipv4_addr; flags interval',
  /** Interface → chain of its firewall group. */
  group_ingress: 'ifname : verdict',
  group_egress: 'ifname : verdict',
  /** Outside address → counter. */
  label_in4: 'ipv4_addr : counter; flags interval',
  label_in6: 'ipv6_addr : counter; flags interval',
  label_out4: 'ipv4_addr : counter; flags interval',
  label_out6: 'ipv6_addr : counter; flags interval',
} as const;

/** Sets that the packets fill; their elements are no part of the state. */
export const counterTypes = {
  /** External address → what was forwarded to it from outside, and from it. */
  fip_received: 'ipv4_addr; size 131072; flags dynamic; counter',
  fip_sent: 'ipv4_addr; size 131072; flags dynamic; counter',
} as const;

export type SetName = keyof typeof setTypes | keyof typeof limitTypes | keyof typeof mapTypes;
export const setNames = [
  ...Object.keys(setTypes),
  ...Object.keys(limitTypes),
  ...Object.keys(mapTypes),
] as readonly SetName[];

/**
 * Element → value; the value is empty in a set. Elements are as nft lists them, their parts separated by ` . `, interface names
 * without quotes; addresses of IPv6 in the form of RFC 5952.
 */
export type Elements = ReadonlyMap<string, string>;
export type FirewallElements = Readonly<Record<SetName, Elements>>;

export const noElements = Object.freeze(
  Object.fromEntries(setNames.map((name) => [name, new Map()])),
) as unknown as FirewallElements;

/** Chains that are there while tenants' rules need them, and two that always are. */
export const anchorsChain = 'anchors';
export const redirectsChain = 'redirects';

export interface FirewallState {
  /** Whether the table is there, with the chains of this release. */
  readonly table: boolean;
  readonly elements: FirewallElements;
  /** Tenants' chains by name, and what makes each of their rules different from others (`ruleKey()`). */
  readonly chains: ReadonlyMap<string, Chain>;
  /** Address books: sets by name. */
  readonly books: ReadonlyMap<string, Book>;
  /** Names of labels' counters. */
  readonly counters: ReadonlySet<string>;
  /** Devices of the flowtable; empty: there is none. */
  readonly offload: readonly string[];
  /** What says whose connections end when a firewall group changes; undefined in what was found. */
  readonly policies: Policies | undefined;
  /** Labels by counter; for those who read them. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

export interface Chain {
  readonly keys: readonly string[];
  /** Undefined in what was found. */
  readonly rules: readonly Rule[] | undefined;
}

export interface Book {
  readonly type: 'ipv4_addr' | 'ipv6_addr';
  readonly elements: Elements;
}

const nothing = {
  elements: noElements,
  books: new Map(),
  counters: new Set<string>(),
  offload: [],
  policies: undefined,
  labels: new Map(),
} as const;

const noChains: ReadonlyMap<string, Chain> = new Map(
  [anchorsChain, redirectsChain].map((name) => [name, { keys: [], rules: [] }]),
);

/** No table: nothing is dropped. */
export const openFirewall: FirewallState = Object.freeze({ ...nothing, chains: new Map(), table: false });
/** Everything is dropped. */
export const closedFirewall: FirewallState = Object.freeze({ ...nothing, chains: noChains, table: true });
