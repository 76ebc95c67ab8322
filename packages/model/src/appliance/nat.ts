import Type from 'typebox';
import { Ip, Ipv4, Port, Uuid } from '../scalars.ts';

/** Addresses that the appliance translates: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/**
 * Neutron's bandwidth limit rule: kilobits (1000 bits) per second, and kilobits of burst; without one, or with 0, 80 % of a
 * second's worth. The kernel reckons in nanoseconds × bytes, in 64 bits: hence the maxima.
 */
export const RateLimit = Type.Object(
  {
    max_kbps: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
    max_burst_kbps: Type.Optional(Type.Integer({ minimum: 0, maximum: 32_000_000 })),
  },
  closed,
);
export type RateLimit = Type.Static<typeof RateLimit>;

export const FloatingIp = Type.Object(
  {
    floating_ip: Ip,
    fixed_ip: Ip,
    id: Type.Optional(Uuid),
    /** What may come in to it and leave with it (Neutron's QoS `ingress` and `egress`). */
    rate_limits: Type.Optional(
      Type.Object({ ingress: Type.Optional(RateLimit), egress: Type.Optional(RateLimit) }, closed),
    ),
  },
  closed,
);
export type FloatingIp = Type.Static<typeof FloatingIp>;

/** Neutron's `port_forwarding`; with `*_port_end` a range, as long inside as outside, or all of it to one port inside. */
export const PortForwarding = Type.Object(
  {
    id: Type.Optional(Uuid),
    floating_ip: Ipv4,
    protocol: Type.Enum(['tcp', 'udp', 'sctp']),
    external_port: Port,
    external_port_end: Type.Optional(Port),
    internal_ip: Ipv4,
    internal_port: Port,
    internal_port_end: Type.Optional(Port),
  },
  closed,
);
export type PortForwarding = Type.Static<typeof PortForwarding>;
