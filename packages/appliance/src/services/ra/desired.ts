import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { contains, networkOf, parseCidr } from '@astara/model/ip.ts';
import { dnsName, type Ip, ifname, ip, type Prefix, prefix } from '../../values.ts';
import type { RaNode } from './nodes.ts';

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
  return Object.freeze({
    ifname: ifname(network.interface.ifname, `${field}/interface/ifname`),
    // IPv6 needs 1280; an MTU below that is not advertised.
    ...(network.interface.mtu === undefined || network.interface.mtu < 1280 ? {} : { mtu: network.interface.mtu }),
    managed: modes.has('dhcpv6-stateful'),
    other: modes.has('dhcpv6-stateful') || modes.has('dhcpv6-stateless'),
    prefixes: subnets.map((subnet) => ({
      prefix: networkOf(prefix(subnet.cidr, `${field}/subnets`)) as Prefix,
      autonomous: subnet.ipv6_ra_mode !== 'dhcpv6-stateful',
    })),
    // `::` is Neutron's way to say none.
    nameservers: [...nameservers].filter((address) => address !== '::'),
    domain: dnsName(network.dns_domain ?? 'openstacklocal', `${field}/dns_domain`),
  });
}

function ownAddress(network: Network, cidr: string): Ip | undefined {
  for (const text of network.interface.addresses) {
    const address = parseCidr(text)?.address;
    if (address !== undefined && contains(cidr, address)) return ip(address, 'addresses');
  }
  return undefined;
}
