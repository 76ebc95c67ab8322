import type { DnsName, Ifname, Ip, Mac, OptionName, Prefix, Printable } from '../../values.ts';

/** What the dnsmasqs of one network are told, before it is text. */
export interface NetworkNode {
  readonly ifname: Ifname;
  /** Neutron's id; rendered nowhere. */
  readonly networkId: string;
  readonly dns: DnsNode;
  /** Undefined when there is nobody to hand anything out to. */
  readonly dhcp: DhcpNode | undefined;
}

export interface DnsNode {
  readonly ifname: Ifname;
  /** Our addresses on the network. */
  readonly own: readonly Ip[];
  /** Names below these are known here or not at all. */
  readonly domains: readonly DnsName[];
  /** So are the names of these addresses. */
  readonly subnets: readonly Prefix[];
  /** Who is asked for the rest; `host`: the resolvers of the host. */
  readonly upstream: 'host' | readonly Ip[];
  readonly names: readonly NameNode[];
}

export interface NameNode {
  readonly address: Ip;
  readonly names: readonly DnsName[];
}

export interface DhcpNode {
  readonly ifname: Ifname;
  readonly ranges: readonly RangeNode[];
  readonly hosts: readonly HostNode[];
  /** Ports with options of their own. */
  readonly tagged: readonly TaggedNode[];
  readonly options: readonly OptionNode[];
}

/** A subnet whose addresses are handed out to known hosts only. */
export interface RangeNode {
  readonly tag: Tag;
  readonly cidr: Prefix;
  /** Seconds. */
  readonly lease: number;
  /** Our address of the version on the segment. */
  readonly own: Ip;
  /** Whether {@link own} is in another subnet. */
  readonly shared: boolean;
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
  /** Undefined: for whoever has none of the kind by a tag. */
  readonly tag: Tag | undefined;
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
