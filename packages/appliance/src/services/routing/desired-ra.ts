import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { contains, networkOf, parseCidr } from '@astara/model/ip.ts';
import { dnsName, type Ip, ifname, ip, type Prefix, prefix } from '../../values.ts';
import type { RaNode } from './nodes.ts';

/** RFC 4861 §6.2.1: an RA lasts three times as long as it takes the next one to come. */
const PERSISTENCE = 3;

/** Advertisements for every routed network that has an IPv6 subnet with an RA mode. */
export function desiredRa(config: ApplianceConfig): RaNode[] {
  return config.networks.flatMap((network, index) => {
    const node = network.network_type === 'internal' ? networkRa(network, `/networks/${index}`) : undefined;
    return node === undefined ? [] : [node];
  });
}

function networkRa(network: Network, field: string): RaNode | undefined {
  const subnets = network.subnets.filter(({ cidr, ipv6_ra_mode }) => {
    return cidr.includes(':') && ipv6_ra_mode !== undefined && ipv6_ra_mode !== null;
  });
  if (subnets.length === 0) return undefined;
  const modes = new Set(subnets.map((subnet) => subnet.ipv6_ra_mode));
  const nameservers = new Set(
    subnets.flatMap((subnet) => {
      const given = subnet.dns_nameservers.filter((address) => address.includes(':'));
      if (given.length > 0) return given.map((address) => ip(address, `${field}/dns_nameservers`));
      const own = ownAddress(network, subnet.cidr);
      return subnet.dhcp_enabled && own !== undefined ? [own] : [];
    }),
  );
  const ra = network.router_advertisement ?? {};
  const { max_interval = 100, preference = 'medium', valid_lifetime = 86_400 } = ra;
  const lifetime = PERSISTENCE * max_interval;
  const domains = ra.search_domains ?? [network.dns_domain ?? 'openstacklocal'];
  return Object.freeze({
    ifname: ifname(network.interface.ifname, `${field}/interface/ifname`),
    // IPv6 needs 1280; an MTU below that is not advertised.
    ...(network.interface.mtu === undefined || network.interface.mtu < 1280 ? {} : { mtu: network.interface.mtu }),
    managed: modes.has('dhcpv6-stateful'),
    other: modes.has('dhcpv6-stateful') || modes.has('dhcpv6-stateless'),
    routerLifetime: ra.router_lifetime ?? lifetime,
    preference,
    maxInterval: max_interval,
    minDelay: 3,
    prefixes: subnets.map((subnet) => ({
      prefix: networkOf(prefix(subnet.cidr, `${field}/subnets`)) as Prefix,
      autonomous: subnet.ipv6_ra_mode !== 'dhcpv6-stateful',
      valid: valid_lifetime,
      preferred: ra.preferred_lifetime ?? Math.min(14_400, valid_lifetime),
    })),
    // `::` is Neutron's way to say none.
    nameservers: [...nameservers].filter((address) => address !== '::').map((value) => ({ value, lifetime })),
    searchDomains: domains.map((name, index) => ({
      value: dnsName(name, `${field}/router_advertisement/search_domains/${index}`),
      lifetime,
    })),
  });
}

function ownAddress(network: Network, cidr: string): Ip | undefined {
  for (const text of network.interface.addresses) {
    const address = parseCidr(text)?.address;
    if (address !== undefined && contains(cidr, address)) return ip(address, 'addresses');
  }
  return undefined;
}
