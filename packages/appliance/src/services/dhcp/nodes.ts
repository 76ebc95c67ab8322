import type { DnsName, Ifname, Ip, Mac, OptionName, Prefix, Printable } from '../../values.ts';

/** What dnsmasq is told, before it is text. */
export interface DhcpNode {
  readonly interfaces: readonly Ifname[];
  readonly ranges: readonly RangeNode[];
  readonly domains: readonly DnsName[];
  /** Empty: the resolvers of the host. */
  readonly forwarders: readonly Ip[];
  readonly hosts: readonly HostNode[];
  /** Ports with options of their own. */
  readonly tagged: readonly TaggedNode[];
  readonly options: readonly OptionNode[];
  readonly names: readonly NameNode[];
}

/** A subnet whose addresses are handed out to known hosts only. */
export interface RangeNode {
  readonly tag: Tag;
  readonly cidr: Prefix;
  readonly domain: DnsName;
  /** Seconds. */
  readonly lease: number;
  readonly ifname: Ifname;
  /** Our address on the segment, when we have none in this subnet. */
  readonly sharedWith?: Ip;
}

/** Letters and digits, made by {@link ./desired.ts}. */
export type Tag = string & { readonly tag: unique symbol };

export interface HostNode {
  readonly mac: Mac;
  /** At most one of each version. */
  readonly addresses: readonly Ip[];
  readonly hostname: DnsName;
}

export interface TaggedNode {
  readonly mac: Mac;
  readonly tag: Tag;
}

export interface OptionNode {
  readonly tag: Tag;
  readonly version: 4 | 6;
  /** dnsmasq's name or a number. */
  readonly name: OptionName;
  readonly value: OptionValue;
}

export type OptionValue =
  /** Suppresses what dnsmasq would send by itself. */
  | { readonly kind: 'none' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'addresses'; readonly addresses: readonly Ip[] }
  | { readonly kind: 'routes'; readonly routes: readonly { readonly destination: Prefix; readonly via: Ip }[] }
  | { readonly kind: 'name'; readonly name: DnsName }
  /** A tenant's text: a list with commas, as dnsmasq reads it, or any other text, which is then quoted. */
  | { readonly kind: 'text'; readonly text: Printable };

export interface NameNode {
  readonly address: Ip;
  readonly names: readonly DnsName[];
}
