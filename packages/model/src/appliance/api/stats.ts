import Type from 'typebox';
import { Time } from './commit.ts';

/** Counters. They begin anew with the interface, or with the table of the firewall. */

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

export const InterfaceCounters = Type.Object(
  {
    ifname: Type.String(),
    rx_bytes: Count,
    rx_packets: Count,
    rx_errors: Count,
    rx_dropped: Count,
    tx_bytes: Count,
    tx_packets: Count,
    tx_errors: Count,
    tx_dropped: Count,
  },
  closed,
);
export type InterfaceCounters = Type.Static<typeof InterfaceCounters>;

/** `in`: from outside. */
const traffic = { bytes_in: Count, packets_in: Count, bytes_out: Count, packets_out: Count };

export const LabelCounters = Type.Object({ name: Type.String(), ...traffic }, closed);
export type LabelCounters = Type.Static<typeof LabelCounters>;

export const FloatingIpCounters = Type.Object({ floating_ip: Type.String(), ...traffic }, closed);
export type FloatingIpCounters = Type.Static<typeof FloatingIpCounters>;

export const Conntrack = Type.Object({ count: Count, max: Count }, closed);

export const StatsAnswer = Type.Object(
  {
    time: Time,
    interfaces: Type.Array(InterfaceCounters),
    labels: Type.Array(LabelCounters),
    floating_ips: Type.Array(FloatingIpCounters),
    conntrack: Type.Union([Conntrack, Type.Null()], { description: 'null where the kernel does not track' }),
  },
  closed,
);
export type StatsAnswer = Type.Static<typeof StatsAnswer>;

export const Lease = Type.Object(
  {
    network_id: Type.String(),
    ip_address: Type.String(),
    mac_address: Type.Union([Type.String(), Type.Null()], { description: 'null when the DUID does not hold it' }),
    hostname: Type.Union([Type.String(), Type.Null()]),
    /** Null: it does not end. */
    expires_at: Type.Union([Time, Type.Null()]),
    client_id: Type.Union([Type.String(), Type.Null()], { description: 'client identifier, or DUID (RFC 8415)' }),
  },
  closed,
);
export type Lease = Type.Static<typeof Lease>;

export const LeasesAnswer = Type.Object({ leases: Type.Array(Lease) }, closed);
