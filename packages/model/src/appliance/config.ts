import Type from 'typebox';
import { Hostname, Ip, Ipv4, Ipv6, Uuid } from '../scalars.ts';
import { AddressBook, Anchor, FirewallGroup, Labels } from './firewall.ts';
import { Ha } from './ha.ts';
import { Identity } from './identity.ts';
import { Metadata } from './metadata.ts';
import { FloatingIp, PortForwarding } from './nat.ts';
import { Network } from './network.ts';
import { Probe } from './probes.ts';
import { Bfd, Bgp } from './routing.ts';
import { StaticRoute } from './static-route.ts';
import { Vpn } from './vpn.ts';

/**
 * The whole desired configuration of one appliance: the body of `PUT /v2/config` (`docs/reference/appliance-api.md`).
 * What a schema cannot say is in `rules.ts`. The body of 2016's `PUT /v1/system/config` is translated into this one.
 */
export const ApplianceConfig = Type.Object(
  {
    /** Grows with each configuration the orchestrator makes; an older one than that in force is refused. Default 0. */
    generation: Type.Optional(Type.Integer({ minimum: 0 })),
    hostname: Hostname,
    tenant_id: Uuid,
    networks: Type.Array(Network, { maxItems: 512 }),
    default_v4_gateway: Type.Optional(Type.Union([Ipv4, Type.Null()])),
    default_v6_gateway: Type.Optional(Type.Union([Ipv6, Type.Null()])),
    /** Whether internal IPv4 leaves through the external address. False: it is reached from outside as well. Default true. */
    snat: Type.Optional(Type.Boolean()),
    /** The external addresses that internal IPv4 leaves with, shared out by source; default: the external network's first. */
    snat_addresses: Type.Optional(Type.Array(Ipv4, { maxItems: 64, uniqueItems: true })),
    floating_ips: Type.Array(FloatingIp, { maxItems: 100_000 }),
    port_forwardings: Type.Optional(Type.Array(PortForwarding, { maxItems: 100_000 })),
    /** Several with one destination share its traffic (ECMP); those to everywhere take the place of the default gateway. */
    static_routes: Type.Optional(Type.Array(StaticRoute, { maxItems: 10_000 })),
    /** Where metadata requests go: absent means that this appliance answers none. */
    metadata: Type.Optional(Metadata),
    /** Forward DNS queries that the networks' own names do not answer to these; default: the host's resolvers. */
    dns_forwarders: Type.Optional(Type.Array(Ip, { maxItems: 16 })),
    /** Seconds; default 86400. */
    dhcp_lease_duration: Type.Optional(Type.Integer({ minimum: 120, maximum: 4_294_967_295 })),
    labels: Type.Optional(Labels),
    address_book: Type.Optional(AddressBook),
    anchors: Type.Optional(Type.Array(Anchor, { maxItems: 256 })),
    firewall_groups: Type.Optional(Type.Array(FirewallGroup, { maxItems: 1024 })),
    /** Established connections pass the kernel's fast path (flowtable), where it has one; they are not counted then. Default false. */
    flow_offload: Type.Optional(Type.Boolean()),
    bgp: Type.Optional(Bgp),
    bfd: Type.Optional(Bfd),
    ha: Type.Optional(Ha),
    vpn: Type.Optional(Vpn),
    identity: Type.Optional(Identity),
    /** What tells whether the outside can be reached; default: the default gateways. */
    probes: Type.Optional(Type.Array(Probe, { maxItems: 16 })),
  },
  { additionalProperties: false },
);
export type ApplianceConfig = Type.Static<typeof ApplianceConfig>;
