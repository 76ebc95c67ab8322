import type { DnsName, Ifname, Ip, Prefix } from '../../values.ts';

/** Router advertisements of one interface (RFC 4861 §6.2.1), before they are text. */
export interface RaNode {
  readonly ifname: Ifname;
  readonly mtu?: number;
  /** Addresses from DHCPv6. */
  readonly managed: boolean;
  /** Other settings from DHCPv6. */
  readonly other: boolean;
  readonly prefixes: readonly { readonly prefix: Prefix; readonly autonomous: boolean }[];
  readonly nameservers: readonly Ip[];
  readonly domain: DnsName;
}
