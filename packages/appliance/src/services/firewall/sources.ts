import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { networkOf } from '@astara/model/ip.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { ifname, prefix } from '../../values.ts';
import { type Interval, intervalOf, intervalText, union, type Version, versionOf } from './intervals.ts';

/**
 * What may come from which internal network (BCP 38): its subnets, and what is reached through it by a route, by BGP or by the
 * default gateway. `<interface> . <interval>`.
 */
export function desiredSources(config: ApplianceConfig): Record<'source4' | 'source6', Map<string, string>> {
  const attached = new PrefixTable<string>();
  const allowed = new Map<string, Record<Version, Interval[]>>();
  const allow = (name: string | undefined, cidr: string) => {
    const found = name === undefined ? undefined : allowed.get(name);
    found?.[versionOf(cidr)].push(intervalOf(cidr));
  };

  config.networks.forEach((network, index) => {
    const name = ifname(network.interface.ifname, `/networks/${index}/interface/ifname`);
    for (const cidr of network.interface.addresses) attached.add(cidr, name);
    for (const cidr of network.on_link_routes ?? []) attached.add(cidr, name);
    if (network.network_type !== 'internal' && network.network_type !== 'isolated') return;
    allowed.set(name, { 4: [], 6: [] });
    for (const cidr of prefixesOf(network, index)) allow(name, networkOf(cidr));
    allow(name, 'fe80::/10');
  });

  for (const { destination, nexthop } of config.static_routes ?? [])
    allow(attached.find(nexthop), networkOf(destination));
  for (const [gateway, all] of [
    [config.default_v4_gateway, '0.0.0.0/0'],
    [config.default_v6_gateway, '::/0'],
  ] as const) {
    if (typeof gateway === 'string') allow(attached.find(gateway), all);
  }
  for (const neighbor of config.bgp?.neighbors ?? []) {
    const learned = neighbor.import?.prefixes ?? ['0.0.0.0/0', '::/0'];
    for (const cidr of learned) allow(neighbor.interface ?? attached.find(neighbor.address), networkOf(cidr));
  }

  const elements = (version: Version) =>
    new Map(
      [...allowed].flatMap(([name, found]) =>
        union(found[version]).map((interval) => [`${name} . ${intervalText(interval, version)}`, ''] as const),
      ),
    );
  return { source4: elements(4), source6: elements(6) };
}

function prefixesOf({ subnets, interface: port, on_link_routes = [] }: Network, index: number): string[] {
  const field = `/networks/${index}`;
  return [
    ...subnets.map(({ cidr }, position) => prefix(cidr, `${field}/subnets/${position}/cidr`)),
    ...port.addresses.map((cidr, position) => prefix(cidr, `${field}/interface/addresses/${position}`)),
    ...on_link_routes.map((cidr, position) => prefix(cidr, `${field}/on_link_routes/${position}`)),
  ];
}
