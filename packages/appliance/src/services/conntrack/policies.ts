import type { Flow } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { ip } from '../../values.ts';
import type { GroupRules } from '../firewall/groups.ts';
import { type Interval, intervalOf, versionOf } from '../firewall/intervals.ts';
import type { Addresses, Ports, Rule } from '../firewall/nodes.ts';

/** What firewall groups allow, for connections that are there already: the kernel asks its rules about new ones only. */
export interface Policies {
  readonly groups: ReadonlyMap<string, { readonly ingress: readonly Rule[]; readonly egress: readonly Rule[] }>;
  /** Prefix → the interface behind which it is; what is in none of them is behind {@link outside}. */
  readonly places: PrefixTable<string>;
  /** Undefined when there is none, or more than one. */
  readonly outside: string | undefined;
  /** The appliance's own addresses: what it says itself is not forwarded. */
  readonly own: ReadonlySet<string>;
}

export function desiredPolicies(
  config: ApplianceConfig,
  { chains, group_ingress, group_egress }: GroupRules,
): Policies {
  const places = new PrefixTable<string>();
  const own = new Set<string>();
  for (const { interface: port, subnets, network_type, on_link_routes = [] } of config.networks) {
    for (const cidr of port.addresses) {
      const parsed = parseCidr(cidr);
      if (parsed !== undefined) own.add(ip(parsed.address, 'addresses'));
    }
    if (network_type !== 'internal') continue;
    for (const cidr of [...port.addresses, ...subnets.map((subnet) => subnet.cidr), ...on_link_routes]) {
      places.add(cidr, port.ifname);
    }
  }
  for (const { destination, nexthop } of config.static_routes ?? []) {
    const ifname = places.find(nexthop);
    if (ifname !== undefined) places.add(networkOf(destination), ifname);
  }
  const rules = (jump: string | undefined) => chains.get(jump?.replace('jump ', '') ?? '') ?? [];
  const groups = new Map(
    [...group_ingress.keys()].map((ifname) => [
      ifname,
      { ingress: rules(group_ingress.get(ifname)), egress: rules(group_egress.get(ifname)) },
    ]),
  );
  const externals = config.networks.filter((network) => network.network_type === 'external');
  const outside = externals.length === 1 ? externals[0]?.interface.ifname : undefined;
  return { groups, places, outside, own };
}

/**
 * Whether the groups let the connection through, as the kernel's rules would decide about its first packet: its source before, and
 * its destination behind translation. True for what touches none of `interfaces`.
 */
export function allows(policies: Policies, interfaces: ReadonlySet<string>, flow: Flow): boolean {
  const source = flow.original.source;
  const destination = flow.reply.source;
  if (policies.own.has(source) || policies.own.has(destination)) return true;
  const from = policies.places.find(source) ?? policies.outside;
  const to = policies.places.find(destination) ?? policies.outside;
  const egress = from !== undefined && interfaces.has(from) ? policies.groups.get(from)?.egress : undefined;
  const ingress = to !== undefined && interfaces.has(to) ? policies.groups.get(to)?.ingress : undefined;
  const packet: Packet = {
    version: versionOf(source),
    protocol: flow.protocol,
    source: intervalOf(source),
    destination: intervalOf(destination),
    sourcePort: flow.original.sourcePort,
    destinationPort: flow.reply.sourcePort,
  };
  return (egress === undefined || passes(egress, packet)) && (ingress === undefined || passes(ingress, packet));
}

interface Packet {
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly source: Interval;
  readonly destination: Interval;
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
}

function passes(rules: readonly Rule[], packet: Packet): boolean {
  return rules.find((rule) => matches(rule, packet))?.verdict.is === 'return';
}

function matches(rule: Rule, packet: Packet): boolean {
  return (
    (rule.version ?? packet.version) === packet.version &&
    (rule.protocol ?? packet.protocol) === packet.protocol &&
    holds(rule.source, packet.source, packet.version) &&
    holds(rule.destination, packet.destination, packet.version) &&
    within(rule.sourcePorts, packet.sourcePort) &&
    within(rule.destinationPorts, packet.destinationPort)
  );
}

function holds(addresses: Addresses | undefined, { first }: Interval, version: 4 | 6): boolean {
  if (addresses === undefined) return true;
  if ('book' in addresses || versionOf(addresses.prefix) !== version) return false;
  const prefix = intervalOf(addresses.prefix);
  return prefix.first <= first && first <= prefix.last;
}

function within(ports: Ports | undefined, port: number | undefined): boolean {
  return ports === undefined || (port !== undefined && ports.first <= port && port <= ports.last);
}
