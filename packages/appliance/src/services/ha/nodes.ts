import type { Ifname, Ip, Prefix } from '../../values.ts';

/** What keepalived and conntrackd are told, before it is text. */
export interface HaNode {
  readonly vrid: number;
  readonly priority: number;
  readonly interface: Ifname;
  /** ms */
  readonly advertInterval: number;
  readonly nopreempt: boolean;
  /** Interfaces without which this member cannot be the router. */
  readonly tracked: readonly Ifname[];
  /** One, or one of each IP version: then they move together. */
  readonly instances: readonly InstanceNode[];
  /** Addresses that a router that is alone would not have. */
  readonly generated: readonly AddressNode[];
  readonly sync: SyncNode | undefined;
}

/** A VRRP instance, named after the version of its advertisements. */
export interface InstanceNode {
  readonly version: 4 | 6;
  /** This member's address. */
  readonly source: Ip;
  /** Empty: multicast. */
  readonly peers: readonly Ip[];
  /**
   * The one address that is advertised: it never changes, so that members whose configurations differ for a moment still
   * understand each other, and a packet holds it however many others there are.
   */
  readonly primary: AddressNode;
  readonly addresses: readonly AddressNode[];
  readonly routes: readonly RouteNode[];
}

export interface AddressNode {
  readonly ifname: Ifname;
  readonly cidr: Prefix;
}

export interface RouteNode {
  readonly destination: Prefix;
  readonly hops: readonly HopNode[];
}

export interface HopNode {
  /** On the interface, whatever prefixes that has. Undefined: what is meant is there itself. */
  readonly via: Ip | undefined;
  readonly ifname: Ifname;
  /** Its share among several, 1 to 256. */
  readonly weight: number;
}

/** How conntrackd reaches the other members: one by unicast and reliably (FTFW), several by multicast (NOTRACK). */
export interface SyncNode {
  readonly vrid: number;
  readonly version: 4 | 6;
  readonly interface: Ifname;
  readonly source: Ip;
  readonly peer: Ip | undefined;
  /** Connections of the members among each other stay where they are. */
  readonly ignored: readonly Ip[];
}

export function instanceName({ version }: InstanceNode): string {
  return `router${version}`;
}
