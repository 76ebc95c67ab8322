import Type from 'typebox';
import { CidrText, Hostname, Ip, Ipv4, Label, Mac, Mtu, Port, Uuid } from '../../scalars.ts';
import { AddressBook, Labels } from '../firewall.ts';
import { Route } from '../network.ts';
import { Asn } from '../routing.ts';
import { Secret } from '../secret.ts';
import { Dpd, IkeIdentity, IkePolicy, IpsecPolicy } from '../vpn.ts';

/**
 * Bodies of the API of 2016 (astara-appliance 9, `/v1/`), as its orchestrator built them (`astara/api/config/`, `DICT_ATTRS` of
 * `astara/api/neutron.py`) and its appliance read them (`astara_router/models.py`). What that one left out of account is here,
 * and ignored; what it did not know is refused.
 */

const closed = { additionalProperties: false } as const;

/** `ge0`, `ge1`…: the interfaces in order; the first is the management interface. */
export const VirtualName = Type.String({ pattern: '^ge(0|[1-9]\\d{0,2})$', description: 'virtual interface name' });

const nullable = <const S extends Type.TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));
/** Absent was '' or null. */
const OptionalIp = Type.Union([Ip, Type.Literal(''), Type.Null()]);
const Ignored = Type.Optional(Type.Unknown({ description: 'of no effect' }));

export const Interface2016 = Type.Object(
  {
    ifname: VirtualName,
    addresses: Type.Optional(Type.Array(CidrText, { maxItems: 256 })),
    mtu: nullable(Mtu),
    description: Ignored,
    groups: Ignored,
    flags: Ignored,
    lladdr: Ignored,
    media: Ignored,
    state: Ignored,
    management: Ignored,
  },
  closed,
);

export const Subnet2016 = Type.Object(
  {
    id: Uuid,
    cidr: CidrText,
    gateway_ip: OptionalIp,
    /** False also for IPv6 subnets whose hosts form their addresses themselves. */
    dhcp_enabled: Type.Union([Type.Boolean(), Type.Null()]),
    dns_nameservers: Type.Array(Ip, { maxItems: 64 }),
    host_routes: Type.Optional(Type.Array(Route, { maxItems: 1024 })),
  },
  closed,
);
export type Subnet2016 = Type.Static<typeof Subnet2016>;

export const Allocation2016 = Type.Object(
  {
    mac_address: Mac,
    /** address → whether DHCP hands it out */
    ip_addresses: Type.Record(Ip, Type.Boolean(), closed),
    /** `10-0-0-5.local`: the first address, and the domain. */
    hostname: Type.String({ pattern: '^[A-Za-z0-9.-]{0,253}$' }),
    device_id: Type.Union([Type.String({ pattern: '^[\\x20-\\x7e]{0,255}$' }), Type.Null()]),
  },
  closed,
);
export type Allocation2016 = Type.Static<typeof Allocation2016>;

export const Network2016 = Type.Object(
  {
    network_id: Uuid,
    interface: Interface2016,
    name: Type.Optional(Label),
    /** Default isolated. */
    network_type: Type.Optional(Type.Enum(['management', 'external', 'internal', 'isolated', 'loadbalancer'])),
    v4_conf_service: Type.Optional(Type.Enum(['static', 'dhcp'])),
    v6_conf_service: Type.Optional(Type.Enum(['static', 'ra', 'dhcp'])),
    mtu: nullable(Mtu),
    subnets: Type.Optional(Type.Array(Subnet2016, { maxItems: 256 })),
    allocations: Type.Optional(Type.Array(Allocation2016, { maxItems: 100_000 })),
    ha: Ignored,
  },
  closed,
);
export type Network2016 = Type.Static<typeof Network2016>;

/** A prefix; a name of the address book; `any`, '' or null for all. */
const Endpoint2016 = nullable(
  Type.Union([CidrText, Type.String({ pattern: '^([A-Za-z0-9][A-Za-z0-9_.:-]{0,63})?$' })]),
);
const Port2016 = nullable(
  Type.Union([Type.Integer({ minimum: 0, maximum: 65_535 }), Type.String({ pattern: '^\\d{0,5}$' })]),
);
const Interface2016Name = nullable(Type.Union([VirtualName, Type.Literal('')]));

export const Rule2016 = Type.Object(
  {
    action: Type.Enum(['pass', 'block']),
    direction: nullable(Type.Enum(['in', 'out', ''])),
    interface: Interface2016Name,
    family: nullable(Type.Enum(['inet', 'inet6', ''])),
    /** `imcp` is what the appliance of 2016 took for ICMP. */
    protocol: nullable(Type.Enum(['tcp', 'udp', 'icmp', 'imcp', ''])),
    source: Endpoint2016,
    source_port: Port2016,
    destination_interface: Interface2016Name,
    destination: Endpoint2016,
    destination_port: Port2016,
    redirect: nullable(Type.Union([Ip, Type.Literal('')])),
    redirect_port: Port2016,
  },
  closed,
);
export type Rule2016 = Type.Static<typeof Rule2016>;

export const Anchor2016 = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$' }),
    rules: Type.Array(Rule2016, { maxItems: 4096 }),
  },
  closed,
);

const Lifetime2016 = Type.Object(
  { units: Type.Enum(['seconds', 'kilobytes']), value: Type.Integer({ minimum: 60, maximum: 2_147_483_647 }) },
  closed,
);

const { properties: ike } = IkePolicy;
const { properties: ipsec } = IpsecPolicy;

export const IkePolicy2016 = Type.Object(
  {
    id: Ignored,
    tenant_id: Ignored,
    name: Ignored,
    ike_version: ike.ike_version,
    auth_algorithm: ike.auth_algorithm,
    encryption_algorithm: ike.encryption_algorithm,
    pfs: ike.pfs,
    phase1_negotiation_mode: Type.Enum(['main', 'aggressive']),
    lifetime: Lifetime2016,
  },
  closed,
);

export const IpsecPolicy2016 = Type.Object(
  {
    id: Ignored,
    tenant_id: Ignored,
    name: Ignored,
    transform_protocol: ipsec.transform_protocol,
    auth_algorithm: ipsec.auth_algorithm,
    encryption_algorithm: ipsec.encryption_algorithm,
    encapsulation_mode: ipsec.encapsulation_mode,
    lifetime: Lifetime2016,
    pfs: ipsec.pfs,
  },
  closed,
);

/** `endpoints`: ids of subnets of the body, or prefixes. */
export const EndpointGroup2016 = Type.Object(
  {
    id: Ignored,
    tenant_id: Ignored,
    name: Ignored,
    type: Type.Enum(['subnet', 'cidr']),
    endpoints: Type.Array(Type.Union([CidrText, Uuid]), { maxItems: 64 }),
  },
  closed,
);
export type EndpointGroup2016 = Type.Static<typeof EndpointGroup2016>;

export const IpsecConnection2016 = Type.Object(
  {
    id: Uuid,
    tenant_id: Ignored,
    name: Type.Optional(Label),
    peer_address: Ip,
    peer_id: IkeIdentity,
    route_mode: Ignored,
    mtu: Type.Integer({ minimum: 68, maximum: 65_535 }),
    initiator: Type.Enum(['bi-directional', 'response-only']),
    auth_mode: Type.Literal('psk'),
    psk: Secret(255),
    dpd: Dpd,
    status: Ignored,
    admin_state_up: Type.Boolean(),
    vpnservice_id: Ignored,
    local_ep_group: nullable(EndpointGroup2016),
    peer_ep_group: nullable(EndpointGroup2016),
    peer_cidrs: Type.Optional(Type.Array(CidrText, { maxItems: 64 })),
    ikepolicy: IkePolicy2016,
    ipsecpolicy: IpsecPolicy2016,
  },
  closed,
);
export type IpsecConnection2016 = Type.Static<typeof IpsecConnection2016>;

export const VpnService2016 = Type.Object(
  {
    id: Uuid,
    name: Type.Optional(Label),
    status: Ignored,
    admin_state_up: Type.Boolean(),
    external_v4_ip: OptionalIp,
    external_v6_ip: OptionalIp,
    subnet_id: nullable(Uuid),
    router_id: Ignored,
    ipsec_connections: Type.Array(IpsecConnection2016, { maxItems: 1024 }),
  },
  closed,
);
export type VpnService2016 = Type.Static<typeof VpnService2016>;

/** Body of `PUT /v1/system/config`. */
export const Config2016 = Type.Object(
  {
    hostname: Hostname,
    tenant_id: Uuid,
    networks: Type.Optional(Type.Array(Network2016, { maxItems: 512 })),
    default_v4_gateway: Type.Optional(Type.Union([Ipv4, Type.Literal(''), Type.Null()])),
    asn: nullable(Asn),
    /** Default: `asn`. */
    neighbor_asn: nullable(Asn),
    floating_ips: Type.Optional(
      Type.Array(Type.Object({ floating_ip: Ip, fixed_ip: Ip }, closed), { maxItems: 100_000 }),
    ),
    /** `[destination, next hop]` each. */
    static_routes: Type.Optional(Type.Array(Type.Tuple([CidrText, Ip]), { maxItems: 10_000 })),
    labels: Type.Optional(Labels),
    address_book: Type.Optional(AddressBook),
    anchors: Type.Optional(Type.Array(Anchor2016, { maxItems: 256 })),
    ha_resource: nullable(Type.Boolean()),
    ha_config: Type.Optional(
      Type.Object(
        {
          priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
          /** Management addresses of the other members. */
          peers: Type.Optional(Type.Array(Ip, { maxItems: 8 })),
        },
        closed,
      ),
    ),
    ha: Ignored,
    orchestrator: Type.Optional(
      Type.Object({ address: nullable(Ip), metadata_port: Type.Optional(Port), host: nullable(Label) }, closed),
    ),
    vpn: Type.Optional(Type.Object({ ipsec: Type.Optional(Type.Array(VpnService2016, { maxItems: 64 })) }, closed)),
    /** Services besides routing, such as `loadbalancer`: this appliance has none. */
    services: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z0-9_-]{1,64}$' }), Type.Unknown(), closed)),
  },
  closed,
);
export type Config2016 = Type.Static<typeof Config2016>;
