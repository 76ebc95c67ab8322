import Type from 'typebox';
import { ServiceStatus } from '../../instance.ts';
import { Ip, Port } from '../../scalars.ts';
import { Applied, CheckResult, Pending, PlannedChange, Revision } from './commit.ts';

const closed = { additionalProperties: false } as const;

/** A network card of the appliance, as the kernel has it. */
export const InterfaceStatus = Type.Object(
  {
    ifname: Type.String(),
    mac_address: Type.String(),
    mtu: Type.Integer(),
    up: Type.Boolean({ description: 'as it was switched' }),
    running: Type.Boolean({ description: 'as it is (RFC 2863): with a carrier' }),
    kind: Type.Optional(Type.String({ description: 'veth, tun…' })),
    addresses: Type.Array(Type.String({ description: 'address/prefix' })),
    network_id: Type.Optional(Type.String()),
    network_type: Type.Optional(Type.String()),
  },
  closed,
);
export type InterfaceStatus = Type.Static<typeof InterfaceStatus>;

/** What came of one of `config.probes`, or of asking a default gateway for its link-layer address (ARP, ND). */
export const ProbeResult = Type.Object(
  {
    type: Type.Enum(['ping', 'tcp', 'gateway']),
    address: Ip,
    port: Type.Optional(Port),
    ok: Type.Boolean(),
    ms: Type.Optional(Type.Number({ description: 'until the answer' })),
    error: Type.Optional(Type.String()),
  },
  closed,
);
export type ProbeResult = Type.Static<typeof ProbeResult>;

/** Whether one of the probes of this IP version was answered; null: there is none. */
const Reachable = Type.Union([Type.Boolean(), Type.Null()]);

export const StatusAnswer = Type.Object(
  {
    applied: Type.Union([Revision, Type.Null()]),
    pending: Type.Union([Pending, Type.Null()]),
    candidate: Type.Union([Applied, Type.Null()]),
    services: Type.Array(ServiceStatus),
    /** What the last self-check saw: it comes with a commit, or a second or two after it. Null: none yet. */
    checked: Type.Union([
      Type.Object({ time: Type.String({ description: 'RFC 3339, UTC' }), checks: Type.Array(CheckResult) }, closed),
      Type.Null(),
    ]),
    interfaces: Type.Array(InterfaceStatus),
    reachability: Type.Optional(Type.Object({ v4: Reachable, v6: Reachable, probes: Type.Array(ProbeResult) }, closed)),
    /** What somebody has changed by hand, as the steps that would mend it. */
    drift: Type.Optional(Type.Array(PlannedChange)),
  },
  closed,
);
export type StatusAnswer = Type.Static<typeof StatusAnswer>;

/** What was found and mended. */
export const RepairAnswer = Type.Object({ repaired: Type.Array(PlannedChange) }, closed);
