import Type from 'typebox';
import { CidrText, DomainName, Ifname, Ip, Ipv4 } from '../scalars.ts';
import { Secret } from './secret.ts';

/** Dynamic routing and router advertisements: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/** RFC 6793. */
export const Asn = Type.Integer({ minimum: 1, maximum: 4_294_967_295 });

/** What a neighbour is told. */
export const BgpExport = Type.Object(
  {
    /** Addresses that are translated (floating IPs, those of port forwardings, `snat_addresses`), as host routes. Default true. */
    floating_ips: Type.Optional(Type.Boolean()),
    /** Internal subnets that leave untranslated: of IPv6, and of IPv4 with `nat: false` or without SNAT. Default true. */
    tenant_subnets: Type.Optional(Type.Boolean()),
    prefixes: Type.Optional(Type.Array(CidrText, { maxItems: 1024 })),
    /** `asn:value` (RFC 1997) or `asn:value:value` (RFC 8092), added to every announcement. */
    communities: Type.Optional(
      Type.Array(Type.String({ pattern: '^\\d{1,10}:\\d{1,10}(:\\d{1,10})?$' }), { maxItems: 32 }),
    ),
  },
  closed,
);
export type BgpExport = Type.Static<typeof BgpExport>;

/** What is taken from a neighbour; never a route to what is attached, or into it. */
export const BgpImport = Type.Object(
  {
    /** Default true. */
    default_route: Type.Optional(Type.Boolean()),
    /** Routes within these are taken too. */
    prefixes: Type.Optional(Type.Array(CidrText, { maxItems: 1024 })),
    /** More routes taken than this end the session, which is tried again later. Default 1000. */
    max_prefixes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  closed,
);
export type BgpImport = Type.Static<typeof BgpImport>;

/** The session carries routes of its address's version. */
export const BgpNeighbor = Type.Object(
  {
    address: Ip,
    /** Of a link-local address; default: that of the first external network. */
    interface: Type.Optional(Ifname),
    asn: Asn,
    /** RFC 2385, TCP MD5. Any printable character but `"`, which BIRD cannot take. */
    password: Type.Optional(Secret(80)),
    /** Hops; default: directly connected. */
    multihop: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
    /** Wait for the neighbour to connect. Default false. */
    passive: Type.Optional(Type.Boolean()),
    /** Its loss is noticed by BFD. Default false. */
    bfd: Type.Optional(Type.Boolean()),
    /** Seconds; default 90. */
    hold_time: Type.Optional(Type.Integer({ minimum: 3, maximum: 65_535 })),
    export: Type.Optional(BgpExport),
    import: Type.Optional(BgpImport),
  },
  closed,
);
export type BgpNeighbor = Type.Static<typeof BgpNeighbor>;

/** RFC 4271. Routes that are learned go into the kernel behind those of the configuration, and to no other neighbour. */
export const Bgp = Type.Object(
  {
    asn: Asn,
    /** Default: the first IPv4 address of the external networks, or else of any. Another one restarts all sessions. */
    router_id: Type.Optional(Ipv4),
    neighbors: Type.Array(BgpNeighbor, { maxItems: 256 }),
    /** Equal routes that share the traffic (ECMP). Default 16; 1: the best one alone. */
    maximum_paths: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
  },
  closed,
);
export type Bgp = Type.Static<typeof Bgp>;

/** RFC 5880 timers of all sessions; defaults: 300 ms, 300 ms, 3 (a neighbour is lost after 0.9 s). */
export const Bfd = Type.Object(
  {
    min_rx_ms: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
    min_tx_ms: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
    multiplier: Type.Optional(Type.Integer({ minimum: 2, maximum: 255 })),
  },
  closed,
);
export type Bfd = Type.Static<typeof Bfd>;

const Lifetime = Type.Integer({ minimum: 0, maximum: 4_294_967_295, description: 'seconds; 4294967295: for ever' });

/** RFC 4861 §6.2.1, RFC 4191 and RFC 8106: how a network is advertised; whether it is, its subnets' `ipv6_ra_mode` says. */
export const RouterAdvertisement = Type.Object(
  {
    /** Seconds, at least `max_interval`; 0: not a default router. Default 3 × `max_interval`. */
    router_lifetime: Type.Optional(Type.Integer({ minimum: 0, maximum: 9000 })),
    /** Default `medium`. */
    preference: Type.Optional(Type.Enum(['low', 'medium', 'high'])),
    /** Seconds between two unsolicited ones; default 100. */
    max_interval: Type.Optional(Type.Integer({ minimum: 4, maximum: 1800 })),
    /** Of the prefixes. Default 86400. */
    valid_lifetime: Type.Optional(Lifetime),
    /** Default 14400, or `valid_lifetime` if that is less. */
    preferred_lifetime: Type.Optional(Lifetime),
    /** DNS search list; default: the network's `dns_domain`. */
    search_domains: Type.Optional(Type.Array(DomainName, { maxItems: 8 })),
  },
  closed,
);
export type RouterAdvertisement = Type.Static<typeof RouterAdvertisement>;
