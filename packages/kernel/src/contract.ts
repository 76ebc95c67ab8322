/**
 * What Astara asks of the Linux kernel. Two implementations pass one conformance suite (`conformance.ts`):
 * `netlink/` (rtnetlink, nfnetlink and libnftables through koffi: no process is spawned) and
 * `iproute2/` (`ip -batch`, `nft -f`, `conntrack`, `arping`), which works wherever those programs are.
 * `open.ts` chooses: netlink when koffi loads, iproute2 otherwise, or as the caller says.
 */
import type { Socket } from 'node:net';

export interface Kernel {
  readonly name: 'netlink' | 'iproute2';

  /**
   * Makes the network namespace `/run/netns/<name>` with `lo` up and `promote_secondaries` on (an IPv4 address that is
   * deleted takes no other with it). Nothing happens if it is there.
   */
  createNetns(name: string): Promise<void>;
  /** Removes the name; the kernel frees the namespace with its last process and socket. Nothing happens if it is absent. */
  deleteNetns(name: string): Promise<void>;
  listNetns(): Promise<string[]>;

  /** A handle on a namespace by name, or on the caller's own (`null`). It stays valid if the name is removed. */
  open(netns: string | null): Promise<Netns>;
}

/** One network namespace. Every method rejects with a KernelError (`errors.ts`) that names the object and the errno. */
export interface Netns {
  readonly name: string | null;

  links(): Promise<Link[]>;
  addresses(): Promise<Address[]>;
  /** Main table, unicast; without the kernel's own (`proto kernel`) routes. One entry per next hop. */
  routes(): Promise<RouteEntry[]>;

  /**
   * In order, as few system calls as possible. Rejects for the first operation that failed and names it. Those before it
   * are applied; of those behind it, up to 255 may be (netlink hands the kernel whole batches). Look again, then go on.
   */
  change(operations: readonly NetOperation[]): Promise<void>;

  /** `net/ipv4/ip_forward` → `1`: files below /proc/sys, written in this namespace. */
  sysctl(values: Readonly<Record<string, string>>): Promise<void>;
  /** What these files hold, without the newline. A file that does not exist, as that of an absent interface, is left out. */
  readSysctl(keys: readonly string[]): Promise<Record<string, string>>;

  /**
   * One nftables transaction, in nft's own language: all of it or nothing. Say `iifname`, never `iif`: indexes are looked
   * up in the wrong namespace by libnftables.
   */
  nft(script: string): Promise<void>;
  /** `nft -j list <what>` as parsed JSON (libnftables-json(5)), e.g. `table inet astara`; undefined when it does not exist. */
  nftList(what: string): Promise<NftJson | undefined>;

  /**
   * Tells the segment who has these addresses, which must be on the interface: gratuitous ARP (RFC 5944 §4.6) or unsolicited
   * neighbour advertisement (RFC 4861 §7.2.6). iproute2 announces the interface's other addresses as well.
   */
  announce(ifname: string, addresses: readonly string[]): Promise<void>;
  /** Ends the tracked connections of which `ends` says so. Returns how many. Looks at none when none is tracked. */
  endConnections(ends: (flow: Flow) => boolean): Promise<number>;

  /**
   * The MAC of a neighbour, which is asked now even if it is known: by ARP (RFC 826) or neighbour solicitation (RFC 4861
   * §7.2.2, from the interface's link-local address); one that was set by hand (`nud permanent`) is taken as it is. Undefined
   * when it has not answered before the kernel gives up, after 3 s, or `signal` aborts.
   */
  resolve(ifname: string, address: string, signal: AbortSignal): Promise<string | undefined>;
  /** Addresses of others that this namespace answers ARP and neighbour solicitations for. */
  proxies(): Promise<ProxyNeighbour[]>;

  /**
   * Milliseconds until `address` answered an ICMP echo request (RFC 792, RFC 4443 §4.1); undefined when it has not before
   * `signal` aborts. Rejects when nothing can be sent to it (ENETUNREACH). Takes CAP_NET_RAW.
   */
  ping(address: string, signal: AbortSignal): Promise<number | undefined>;
  /**
   * Milliseconds until `address` accepted a TCP connection, which is closed again; undefined when it has not before `signal`
   * aborts. Rejects when it, or somebody on the way, refuses (ECONNREFUSED, EHOSTUNREACH, ENETUNREACH).
   */
  connectTcp(address: string, port: number, signal: AbortSignal): Promise<number | undefined>;

  /**
   * Asks a server of this namespace over UDP, and resolves with its answer; undefined when there is none before `signal`
   * aborts. What is sent to a group of IPv6 does not leave the machine. Rejects with KERNEL_UNSUPPORTED under iproute2.
   */
  askLocally(question: DatagramQuestion, signal: AbortSignal): Promise<Buffer | undefined>;

  /**
   * A TCP socket listening in this namespace; the descriptor is the caller's to close (`server.listen({ fd })`). A link-local
   * address names its interface (`fe80::1%qr-1`). Rejects with KERNEL_UNSUPPORTED under iproute2.
   */
  listenTcp(address: string, port: number): Promise<number>;
  /**
   * The two addresses of a connection that came in on such a socket, `''` once it is gone. A link-local one names its interface,
   * for which Node would look outside: `socket.remoteAddress` throws ENXIO, or names another interface.
   */
  endpoints(socket: Socket): Endpoints;

  close(): void;
}

export interface Endpoints {
  readonly local: string;
  readonly remote: string;
}

export interface Link {
  readonly index: number;
  readonly ifname: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** Operational state, RFC 2863: carrier and all. Follows a change within a second. */
  readonly running: boolean;
  /** `veth`, `bridge`…; absent for devices without a kind, like `lo`. */
  readonly kind?: string;
  readonly master?: number;
}

export interface Address {
  readonly ifname: string;
  /** address/prefix */
  readonly cidr: string;
  /** False for addresses made by the kernel: loopback's own, link-local by EUI-64, from router advertisements. */
  readonly permanent: boolean;
  readonly scope: 'global' | 'site' | 'link' | 'host';
}

export interface RouteEntry {
  /** CIDR; `0.0.0.0/0` or `::/0` for the default route. */
  readonly destination: string;
  readonly via?: string;
  readonly ifname?: string;
  readonly metric?: number;
  /** Of one next hop among several: its share of the traffic is this out of the sum of all. */
  readonly weight?: number;
  /** rtnetlink protocol number; ours is {@link ROUTE_PROTOCOL}. */
  readonly protocol: number;
}

export interface DatagramQuestion {
  /** An address of the namespace. */
  readonly from: string;
  /** 0: any. */
  readonly fromPort: number;
  /** To a server whose socket is bound to this interface, or that goes by the interface which a datagram came in on. */
  readonly ifname?: string;
  readonly to: string;
  readonly port: number;
  readonly message: Buffer;
  /** Whether a datagram that came is the answer. */
  readonly answers: (datagram: Buffer) => boolean;
}

export interface ProxyNeighbour {
  readonly ifname: string;
  readonly address: string;
}

/** A tracked connection; of IPv4 or IPv6, addresses in canonical form. */
export interface Flow {
  /** IANA protocol number. */
  readonly protocol: number;
  /** As its first packet was sent. */
  readonly original: FlowTuple;
  /** As answers are sent: what was translated differs from {@link original} turned round. */
  readonly reply: FlowTuple;
}

/** Ports where the protocol has them. */
export interface FlowTuple {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** Routes we make carry this rtnetlink protocol, so that we know them again (and BIRD's, 12, are left alone). */
export const ROUTE_PROTOCOL = 189;

export type NetOperation =
  /** A veth pair: `name` here, `peer.name` in the namespace `peer.netns` (name; null = this one). Exists already: an error. */
  | {
      readonly op: 'veth-add';
      readonly name: string;
      readonly mtu: number;
      readonly peer: { readonly name: string; readonly netns: string | null; readonly mac: string };
    }
  | {
      readonly op: 'link-set';
      readonly ifname: string;
      readonly up?: boolean;
      readonly mtu?: number;
      readonly mac?: string;
    }
  /** Absent already: fine. */
  | { readonly op: 'link-delete'; readonly ifname: string }
  /**
   * IPv6 addresses are added without DAD: Neutron's IPAM has made them unique. Present already: fine. An IPv6 address keeps
   * the prefix length it had: delete it first to change that.
   */
  | { readonly op: 'address-add'; readonly ifname: string; readonly cidr: string }
  /** Absent already: fine. */
  | { readonly op: 'address-delete'; readonly ifname: string; readonly cidr: string }
  | ({ readonly op: 'route-replace' } & RouteTarget)
  /** Absent already: fine. Only routes of ours; without `via`, whatever their next hop, and all of several next hops. */
  | ({ readonly op: 'route-delete' } & RouteTarget)
  /** Present already: fine. IPv6 needs `net/ipv6/conf/<ifname>/proxy_ndp` as well. */
  | ({ readonly op: 'proxy-add' } & ProxyNeighbour)
  /** Absent already: fine. */
  | ({ readonly op: 'proxy-delete' } & ProxyNeighbour);

export interface RouteTarget {
  readonly destination: string;
  readonly via?: string;
  /** Needed without `via`, and with a link-local or off-subnet `via` (then `onlink`). */
  readonly ifname?: string;
  readonly onlink?: boolean;
  /** Several next hops that share the traffic, instead of `via`, `ifname` and `onlink` (ECMP, RFC 2992). */
  readonly hops?: readonly NextHop[];
  /** The kernel prefers the smallest of several routes to one destination. Default: the kernel's, 0 and for IPv6 1024. */
  readonly metric?: number;
}

export interface NextHop {
  readonly via: string;
  readonly ifname?: string;
  readonly onlink?: boolean;
  /** 1 to 256. Default 1. */
  readonly weight?: number;
}

/** libnftables-json(5): `{ nftables: [{ metainfo }, { table }, { map: { elem } }, …] }`. */
export interface NftJson {
  readonly nftables: readonly Readonly<Record<string, unknown>>[];
}
