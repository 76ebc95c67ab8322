import Type from 'typebox';
import { CidrText, DomainName, Hostname, Ifname, Ip, Label, Mac, Mtu, Uuid } from '../scalars.ts';
import { RouterAdvertisement } from './routing.ts';

/** The networks of an appliance: part of `ApplianceConfig`. Names are those of the 2016 API; what is new is marked so. */

const closed = { additionalProperties: false } as const;

export const Route = Type.Object({ destination: CidrText, nexthop: Ip }, closed);
export type Route = Type.Static<typeof Route>;

export const Subnet = Type.Object(
  {
    id: Uuid,
    cidr: CidrText,
    gateway_ip: Type.Union([Ip, Type.Null()]),
    dhcp_enabled: Type.Boolean(),
    dns_nameservers: Type.Array(Ip, { maxItems: 64 }),
    host_routes: Type.Array(Route, { maxItems: 1024 }),
    /** New. RFC 4861/4862/8415 as Neutron's `ipv6_ra_mode`: who may form addresses how. Null or absent: no RA. */
    ipv6_ra_mode: Type.Optional(
      Type.Union([
        Type.Literal('slaac'),
        Type.Literal('dhcpv6-stateless'),
        Type.Literal('dhcpv6-stateful'),
        Type.Null(),
      ]),
    ),
    /** New. False: reached from outside without NAT, because both sides share an address scope. Default true. */
    nat: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type Subnet = Type.Static<typeof Subnet>;

/** Neutron's `extra_dhcp_opts`; `name` is dnsmasq's option name or a number. */
export const DhcpOption = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' }),
    value: Type.String({ pattern: '^[\\x20-\\x7e]{0,255}$' }),
    ip_version: Type.Union([Type.Literal(4), Type.Literal(6)]),
  },
  closed,
);
export type DhcpOption = Type.Static<typeof DhcpOption>;

/** A port of the network: who gets which address, and whose metadata requests come from it. */
export const Allocation = Type.Object(
  {
    mac_address: Mac,
    /** address → whether DHCP hands it out */
    ip_addresses: Type.Record(Ip, Type.Boolean(), closed),
    hostname: Hostname,
    /** Nova instance id; may be empty or any text of an API user: it is sent as a header, never rendered. */
    device_id: Type.String({ pattern: '^[\\x20-\\x7e]{0,255}$' }),
    /** New. */
    port_id: Type.Optional(Uuid),
    /** New. Project of the port: `X-Tenant-ID` of its metadata requests. */
    tenant_id: Type.Optional(Uuid),
    /** New. */
    dhcp_options: Type.Optional(Type.Array(DhcpOption, { maxItems: 64 })),
  },
  closed,
);
export type Allocation = Type.Static<typeof Allocation>;

/** A name that the network's DNS knows besides those of its ports, like dnsmasq's `host-record`. */
export const HostRecord = Type.Object(
  {
    /** Below `dns_domain`; with a dot at its end it is complete as it stands. */
    name: DomainName,
    addresses: Type.Array(Ip, { minItems: 1, maxItems: 32, uniqueItems: true }),
  },
  closed,
);
export type HostRecord = Type.Static<typeof HostRecord>;

/** `internal` is routed; `isolated` gets DHCP, DNS and metadata only. */
export const networkTypes = ['management', 'external', 'internal', 'isolated'] as const;

export const Network = Type.Object(
  {
    network_id: Uuid,
    name: Label,
    network_type: Type.Enum(networkTypes),
    interface: Type.Object(
      {
        /** The name inside the appliance. */
        ifname: Ifname,
        addresses: Type.Array(CidrText, { maxItems: 256 }),
        mtu: Type.Optional(Mtu),
        mac_address: Type.Optional(Mac),
      },
      closed,
    ),
    v4_conf_service: Type.Union([Type.Literal('static'), Type.Literal('dhcp')]),
    v6_conf_service: Type.Union([Type.Literal('static'), Type.Literal('ra'), Type.Literal('dhcp')]),
    subnets: Type.Array(Subnet, { maxItems: 256 }),
    allocations: Type.Array(Allocation, { maxItems: 100_000 }),
    /** New. Other subnets of the same L2 segment: reached without a gateway. */
    on_link_routes: Type.Optional(Type.Array(CidrText, { maxItems: 256 })),
    /**
     * New. Addresses behind the appliance that the network's hosts take for neighbours of theirs: the appliance answers for them
     * (proxy ARP, RFC 1027; ND proxy, RFC 4861 §7.2.8).
     */
    proxied_addresses: Type.Optional(Type.Array(CidrText, { maxItems: 256 })),
    /** New. DNS domain of the network's host names; default `openstacklocal`. */
    dns_domain: Type.Optional(DomainName),
    /** New. */
    host_records: Type.Optional(Type.Array(HostRecord, { maxItems: 10_000 })),
    /** New. In place of the appliance's; empty: nothing is forwarded, the network's own names are all there are. */
    dns_forwarders: Type.Optional(Type.Array(Ip, { maxItems: 16 })),
    /** New. Who is told the network's names: itself, or all networks of the appliance. Default `network`. */
    dns_visibility: Type.Optional(Type.Union([Type.Literal('network'), Type.Literal('appliance')])),
    /** New. How its IPv6 subnets with an `ipv6_ra_mode` are advertised. */
    router_advertisement: Type.Optional(RouterAdvertisement),
  },
  closed,
);
export type Network = Type.Static<typeof Network>;
