import Type from 'typebox';
import { CidrText, Ifname, Ip, Port, Uuid } from '../scalars.ts';

/** What tenants filter and count: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/** Names that rules and counters are known by. */
export const RuleName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$' });

/** Counted traffic: label → the outside prefixes that it is exchanged with. */
export const Labels = Type.Record(RuleName, Type.Array(CidrText, { maxItems: 1024 }), {
  maxProperties: 1024,
  ...closed,
});
export type Labels = Type.Static<typeof Labels>;

/** Name → prefixes; rules of anchors use the names. */
export const AddressBook = Type.Record(RuleName, Type.Array(CidrText, { maxItems: 10_000 }), {
  maxProperties: 1024,
  ...closed,
});
export type AddressBook = Type.Static<typeof AddressBook>;

const PortRange = Type.String({ pattern: '^\\d{1,5}(:\\d{1,5})?$', description: 'a port, or `first:last`' });

/**
 * A rule of the 2016 API, about what is forwarded. The first that matches decides. `source` and `destination`: a prefix, or a name
 * of the address book; the destination is that behind a floating IP or a port forwarding, not its address.
 */
export const AnchorRule = Type.Object(
  {
    action: Type.Enum(['pass', 'block']),
    /** Whether `interface` is where it comes in or where it goes out. Default `in`. */
    direction: Type.Optional(Type.Enum(['in', 'out'])),
    interface: Type.Optional(Type.Union([Ifname, Type.Null()])),
    family: Type.Optional(Type.Enum(['inet', 'inet6'])),
    protocol: Type.Optional(Type.Enum(['tcp', 'udp', 'icmp', 'ipv6-icmp', 'sctp', 'esp', 'ah', 'gre'])),
    source: Type.Optional(Type.Union([CidrText, RuleName])),
    source_port: Type.Optional(PortRange),
    destination_interface: Type.Optional(Type.Union([Ifname, Type.Null()])),
    destination: Type.Optional(Type.Union([CidrText, RuleName])),
    destination_port: Type.Optional(PortRange),
    /** Where what matches is sent instead; `destination` is the address before that. */
    redirect: Type.Optional(Ip),
    redirect_port: Type.Optional(Port),
  },
  closed,
);
export type AnchorRule = Type.Static<typeof AnchorRule>;

export const Anchor = Type.Object({ name: RuleName, rules: Type.Array(AnchorRule, { maxItems: 4096 }) }, closed);
export type Anchor = Type.Static<typeof Anchor>;

/** Neutron's FWaaS v2 `firewall_rule`, in the order of its policy. Without `ip_version`: that of its addresses, else both. */
export const FirewallRule = Type.Object(
  {
    id: Type.Optional(Uuid),
    enabled: Type.Optional(Type.Boolean()),
    action: Type.Enum(['allow', 'deny', 'reject']),
    ip_version: Type.Optional(Type.Union([Type.Literal(4), Type.Literal(6)])),
    protocol: Type.Optional(Type.Union([Type.Enum(['tcp', 'udp', 'icmp', 'sctp']), Type.Null()])),
    source_ip_address: Type.Optional(Type.Union([CidrText, Type.Null()])),
    destination_ip_address: Type.Optional(Type.Union([CidrText, Type.Null()])),
    source_port: Type.Optional(Type.Union([PortRange, Type.Null()])),
    destination_port: Type.Optional(Type.Union([PortRange, Type.Null()])),
  },
  closed,
);
export type FirewallRule = Type.Static<typeof FirewallRule>;

/**
 * Neutron's FWaaS v2 `firewall_group`. `ingress` is what enters the network behind the router's port, `egress` what leaves it;
 * what no rule allows is dropped, and everything is when `admin_state_up` is false. Answers to what was allowed pass.
 */
export const FirewallGroup = Type.Object(
  {
    id: Uuid,
    admin_state_up: Type.Optional(Type.Boolean()),
    /** Interfaces of the appliance that its ports are. */
    interfaces: Type.Array(Ifname, { maxItems: 512, uniqueItems: true }),
    ingress_rules: Type.Array(FirewallRule, { maxItems: 4096 }),
    egress_rules: Type.Array(FirewallRule, { maxItems: 4096 }),
  },
  closed,
);
export type FirewallGroup = Type.Static<typeof FirewallGroup>;
