import Type from 'typebox';
import { Ifname, InstanceId, Label, Mac, Mtu, Uuid } from './scalars.ts';

/**
 * What the orchestrator's `namespace` provider and the host agent say to each other:
 * `GET /v1/instances`, `PUT|DELETE /v1/instances/:id`, over the agent's unix socket.
 */

const closed = { additionalProperties: false } as const;

export const plugKinds = ['bridge', 'ovs'] as const;
/** `bridge`: a bare tap that the Linux bridge agent wires. `ovs`: an OVS port with `external_ids:iface-id`. */
export type PlugKind = (typeof plugKinds)[number];

/** A Neutron port, as an interface of an instance. */
export const Attachment = Type.Object(
  {
    port_id: Uuid,
    network_id: Uuid,
    mac_address: Mac,
    mtu: Mtu,
    /** Name inside the instance. On the host the device is `tap` + the first 11 characters of the port id, as Neutron expects. */
    ifname: Ifname,
    plug: Type.Enum(plugKinds),
  },
  closed,
);
export type Attachment = Type.Static<typeof Attachment>;

export const resourceKinds = ['router', 'network'] as const;
export type ResourceKind = (typeof resourceKinds)[number];

/** The ownership tag of an instance: who it was made for. */
export const ResourceKey = Type.Object({ kind: Type.Enum(resourceKinds), id: Uuid }, closed);
export type ResourceKey = Type.Static<typeof ResourceKey>;

/** Body of `PUT /v1/instances/:id`: the instance exists and has exactly these attachments afterwards. */
export const InstanceSpec = Type.Object(
  { resource: ResourceKey, tenant_id: Type.Optional(Label), attachments: Type.Array(Attachment, { maxItems: 512 }) },
  closed,
);
export type InstanceSpec = Type.Static<typeof InstanceSpec>;

export const ServiceStatus = Type.Object(
  {
    name: Label,
    wanted: Type.Boolean(),
    running: Type.Boolean(),
    error: Type.Optional(Type.String()),
    /** What only this service knows: sessions, tunnels, states. */
    detail: Type.Optional(Type.Unknown()),
  },
  closed,
);
export type ServiceStatus = Type.Static<typeof ServiceStatus>;

/** One element of `GET /v1/instances`; also the answer to `PUT`. */
export const InstanceView = Type.Object(
  {
    id: InstanceId,
    resource: ResourceKey,
    /** `running`: its namespaces are whole. `dead`: its init is gone; it must be destroyed and made again. */
    state: Type.Union([Type.Literal('running'), Type.Literal('dead')]),
    created_at: Type.String({ description: 'RFC 3339, UTC' }),
    attachments: Type.Array(Attachment),
    /** Unix socket of the instance's appliance API, as a path on the host. */
    appliance_socket: Type.String(),
    /** What its appliance has in force; null before the first commit. */
    applied: Type.Union([Type.Object({ generation: Type.Integer(), etag: Type.String() }, closed), Type.Null()]),
    services: Type.Array(ServiceStatus),
  },
  closed,
);
export type InstanceView = Type.Static<typeof InstanceView>;

/** Name of the instance's network namespace under /run/netns. */
export function netnsName(instanceId: string): string {
  return `astara-${instanceId}`;
}

/** Name of a port's device on the host (IFNAMSIZ, as Neutron's agents cut it). */
export function tapName(portId: string): string {
  return `tap${portId.slice(0, 11)}`;
}
