import Type from 'typebox';

/** Answers of the API of 2016. `addresses` and the like were text as the daemons and the kernel gave it. */

const closed = { additionalProperties: false } as const;

/** Whether something outside answers. */
export const Status2016 = Type.Object({ v4: Type.Boolean(), v6: Type.Boolean() }, closed);

export const InterfaceView2016 = Type.Object(
  {
    ifname: Type.String({ description: '`ge0`…' }),
    addresses: Type.Array(Type.String()),
    lladdr: Type.String(),
    mtu: Type.Integer(),
    state: Type.Enum(['up', 'down']),
    description: Type.String(),
    groups: Type.Array(Type.String()),
    media: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
);
export type InterfaceView2016 = Type.Static<typeof InterfaceView2016>;

export const InterfacesAnswer2016 = Type.Object({ interfaces: Type.Array(InterfaceView2016) }, closed);
export const InterfaceAnswer2016 = Type.Object({ interface: InterfaceView2016 }, closed);

const Count = Type.Integer({ minimum: 0 });

/** Counted since the label was configured, or since they were last read: to read them is to reset them. */
export const LabelsAnswer2016 = Type.Object(
  {
    labels: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          total_packets: Count,
          total_bytes: Count,
          packets_in: Count,
          bytes_in: Count,
          packets_out: Count,
          bytes_out: Count,
        },
        closed,
      ),
    ),
  },
  closed,
);
export type LabelsAnswer2016 = Type.Static<typeof LabelsAnswer2016>;

const Json = Type.Record(Type.String(), Type.Unknown());
const Text = Type.Union([Type.String(), Type.Null()]);

/** The router's part, as it was at the root of the answer and again below `services`. */
const router = {
  networks: Type.Array(
    Type.Object(
      {
        network_id: Type.String(),
        name: Type.String(),
        network_type: Type.String(),
        interface: Json,
        v4_conf_service: Type.String(),
        v6_conf_service: Type.String(),
        address_allocations: Type.Array(Json),
      },
      closed,
    ),
  ),
  address_book: Type.Record(
    Type.String(),
    Type.Object({ name: Type.String(), cidrs: Type.Array(Type.String()) }, closed),
  ),
  anchors: Type.Array(Json),
  static_routes: Type.Array(Type.Object({ destination: Type.String(), next_hop: Type.String() }, closed)),
  vpn: Type.Array(Json),
};

/** The configuration in force, in the words of 2016. */
export const ConfigAnswer2016 = Type.Object(
  {
    configuration: Type.Object(
      {
        ...router,
        services: Type.Object({ router: Type.Union([Type.Object(router, closed), Type.Null()]) }, closed),
        system: Type.Object(
          { tenant_id: Text, hostname: Text, management_address: Text, interfaces: Type.Array(Json) },
          closed,
        ),
      },
      closed,
    ),
  },
  closed,
);
export type ConfigAnswer2016 = Type.Static<typeof ConfigAnswer2016>;
