/**
 * One table, whose chains never change: every network and every floating IP is an element of its sets and maps.
 * With all of them empty the table drops everything, which is the state before the first configuration.
 */
export const setTypes = {
  /** Every interface of the configuration. */
  known_if: 'ifname',
  /** Routed networks. */
  internal_if: 'ifname',
  external_if: 'ifname',
  /** Where DHCP and DNS are answered: routed and isolated networks. */
  service_if: 'ifname',
  /** Where metadata requests are taken. */
  metadata_if: 'ifname',
  /** Where the appliance's API may be reached. */
  management_if: 'ifname',
  /** Subnets that are reached from outside without NAT. */
  routed4: 'ipv4_addr; flags interval',
  routed6: 'ipv6_addr; flags interval',
} as const;

export const mapTypes = {
  /** External interface → the address that internal sources leave with. */
  snat_to: 'ifname : ipv4_addr',
  /** Floating → fixed. */
  fip_in: 'ipv4_addr : ipv4_addr',
  /** Fixed → floating. */
  fip_out: 'ipv4_addr : ipv4_addr',
} as const;

export type SetName = keyof typeof setTypes | keyof typeof mapTypes;
export const setNames = [...Object.keys(setTypes), ...Object.keys(mapTypes)] as readonly SetName[];

/** Element → value; the value is empty in a set. Elements are as nft writes them, interface names without quotes. */
export type Elements = ReadonlyMap<string, string>;
export type FirewallElements = Readonly<Record<SetName, Elements>>;

export interface FirewallState {
  /** Whether the table is there, with the chains of this release. */
  readonly table: boolean;
  readonly elements: FirewallElements;
}

export const noElements: FirewallElements = Object.freeze({
  known_if: new Map(),
  internal_if: new Map(),
  external_if: new Map(),
  service_if: new Map(),
  metadata_if: new Map(),
  management_if: new Map(),
  routed4: new Map(),
  routed6: new Map(),
  snat_to: new Map(),
  fip_in: new Map(),
  fip_out: new Map(),
});

/** No table: nothing is dropped. */
export const openFirewall: FirewallState = Object.freeze({ table: false, elements: noElements });
/** Everything is dropped. */
export const closedFirewall: FirewallState = Object.freeze({ table: true, elements: noElements });
