import Type from 'typebox';
import { CidrText, Ip, Ipv4 } from '../scalars.ts';
import { Secret } from './secret.ts';

/** Dynamic routing: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/** RFC 6793. */
export const Asn = Type.Integer({ minimum: 1, maximum: 4_294_967_295 });

/** What a neighbour is told. */
export const BgpExport = Type.Object(
  {
    /** Each floating IP, as a host route. Default true. */
    floating_ips: Type.Optional(Type.Boolean()),
    /** Subnets that are reached without NAT: of IPv6, and of IPv4 with `nat: false`. Default true. */
    tenant_subnets: Type.Optional(Type.Boolean()),
    prefixes: Type.Optional(Type.Array(CidrText, { maxItems: 1024 })),
    /** RFC 1997, `asn:value`. */
    communities: Type.Optional(Type.Array(Type.String({ pattern: '^\\d{1,5}:\\d{1,5}$' }), { maxItems: 32 })),
  },
  closed,
);

/** What is taken from a neighbour. Default: nothing but default routes. */
export const BgpImport = Type.Object(
  {
    /** Routes within these are taken. */
    prefixes: Type.Optional(Type.Array(CidrText, { maxItems: 1024 })),
    /** More routes than this end the session. Default 1000. */
    max_prefixes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  closed,
);

export const BgpNeighbor = Type.Object(
  {
    address: Ip,
    asn: Asn,
    /** RFC 2385, TCP MD5. */
    password: Type.Optional(Secret(80)),
    /** Hops; default: directly connected. */
    multihop: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
    passive: Type.Optional(Type.Boolean()),
    bfd: Type.Optional(Type.Boolean()),
    /** Seconds; default 90. */
    hold_time: Type.Optional(Type.Integer({ minimum: 3, maximum: 65_535 })),
    export: Type.Optional(BgpExport),
    import: Type.Optional(BgpImport),
  },
  closed,
);
export type BgpNeighbor = Type.Static<typeof BgpNeighbor>;

export const Bgp = Type.Object(
  { asn: Asn, router_id: Type.Optional(Ipv4), neighbors: Type.Array(BgpNeighbor, { maxItems: 256 }) },
  closed,
);
export type Bgp = Type.Static<typeof Bgp>;

/** RFC 5880 timers of all sessions; ms. */
export const Bfd = Type.Object(
  {
    min_rx_ms: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
    min_tx_ms: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
    multiplier: Type.Optional(Type.Integer({ minimum: 2, maximum: 255 })),
  },
  closed,
);
export type Bfd = Type.Static<typeof Bfd>;
