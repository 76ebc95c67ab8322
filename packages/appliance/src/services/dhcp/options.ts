import { createHash } from 'node:crypto';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Allocation, Network, Subnet } from '@astara/model/appliance/network.ts';
import { networkOf } from '@astara/model/ip.ts';
import { type DnsName, type Ip, ip, optionName, type Prefix, prefix, printable } from '../../values.ts';
import type { OptionNode, OptionValue, RangeNode, Tag } from './nodes.ts';
import { ownAddress, ownAddresses, ownAddressIn } from './own.ts';

const METADATA = '169.254.169.254/32';

/** What the clients of a subnet are told besides their address. */
export function subnetOptions(
  config: ApplianceConfig,
  network: Network,
  subnet: Subnet,
  { tag, cidr }: RangeNode,
  domain: DnsName,
  field: string,
): OptionNode[] {
  const version = cidr.includes(':') ? 6 : 4;
  const here = ownAddressIn(network, cidr);
  const own = here ?? ownAddress(network, version);
  const nodes: OptionNode[] = [];
  const add = (name: string, value: OptionValue) => {
    nodes.push({ tag, version, name: optionName(name, field), value });
  };

  add('dns-server', nameservers(subnet, version, own, `${field}/dns_nameservers`));
  if (version === 6) {
    add('domain-search', { kind: 'name', name: domain });
    return nodes;
  }
  add('domain-name', { kind: 'name', name: domain });
  const gateway = subnet.gateway_ip === null ? undefined : ip(subnet.gateway_ip, `${field}/gateway_ip`);
  add('router', gateway === undefined ? { kind: 'none' } : { kind: 'addresses', addresses: [gateway] });
  const routes = classlessRoutes(config, network, subnet, gateway, here, field);
  if (routes.length > 0) {
    add('classless-static-route', { kind: 'routes', routes });
    // The same for Windows.
    add('249', { kind: 'routes', routes });
  }
  if (network.interface.mtu !== undefined) add('mtu', { kind: 'number', number: network.interface.mtu });
  return nodes;
}

/**
 * Who asks for settings only (RFC 8415 §6.1) has no address that would tell which of several subnets is meant: dnsmasq then
 * goes by no tag, and these are what it has. Of several subnets the first counts.
 */
export function statelessOptions(options: readonly OptionNode[]): OptionNode[] {
  const first = new Map<string, OptionNode>();
  for (const option of options) {
    if (option.version === 6 && !first.has(option.name)) first.set(option.name, { ...option, tag: undefined });
  }
  return [...first.values()];
}

export function portOptions(allocation: Allocation, field: string): OptionNode[] {
  if (allocation.dhcp_options === undefined || allocation.dhcp_options.length === 0) return [];
  const tag = tagOf('p', allocation.mac_address.toLowerCase());
  return allocation.dhcp_options.map((option, index) => ({
    tag,
    version: option.ip_version,
    name: optionName(option.name, `${field}/dhcp_options/${index}/name`),
    value:
      option.value === ''
        ? { kind: 'none' }
        : { kind: 'text', text: printable(option.value, `${field}/dhcp_options/${index}/value`) },
  }));
}

/** Short, of letters and digits, and the same whatever else is in the configuration. */
export function tagOf(letter: 's' | 'p', id: string): Tag {
  return (letter + createHash('sha1').update(id).digest('hex').slice(0, 16)) as Tag;
}

/** RFC 3442: who reads these ignores the router option, so that the default route is among them. */
function classlessRoutes(
  config: ApplianceConfig,
  network: Network,
  subnet: Subnet,
  gateway: Ip | undefined,
  here: Ip | undefined,
  field: string,
): { destination: Prefix; via: Ip }[] {
  const onLink = ip('0.0.0.0', field);
  const routes = subnet.host_routes.map((route, index) => ({
    destination: networkOf(prefix(route.destination, `${field}/host_routes/${index}/destination`)) as Prefix,
    via: ip(route.nexthop, `${field}/host_routes/${index}/nexthop`),
  }));
  const has = (destination: string) => routes.some((route) => route.destination === destination);
  const isOwn = gateway !== undefined && ownAddresses(network).includes(gateway);
  if (config.metadata !== undefined && here !== undefined && !isOwn && !has(METADATA)) {
    routes.push({ destination: METADATA as Prefix, via: here });
  }
  for (const cidr of network.on_link_routes ?? []) {
    if (cidr.includes(':') || has(networkOf(cidr))) continue;
    routes.push({ destination: networkOf(prefix(cidr, field)) as Prefix, via: onLink });
  }
  if (routes.length > 0 && gateway !== undefined && !has('0.0.0.0/0')) {
    routes.push({ destination: '0.0.0.0/0' as Prefix, via: gateway });
  }
  return routes;
}

/** The subnet's, else our own; Neutron's way to say none is a single 0.0.0.0 or `::`. */
function nameservers(subnet: Subnet, version: 4 | 6, own: Ip | undefined, field: string): OptionValue {
  const given = subnet.dns_nameservers
    .map((address, index) => ip(address, `${field}/${index}`))
    .filter((address) => address.includes(':') === (version === 6));
  if (given.some((address) => address === '0.0.0.0' || address === '::')) return { kind: 'none' };
  if (given.length > 0) return { kind: 'addresses', addresses: given };
  return own === undefined ? { kind: 'none' } : { kind: 'addresses', addresses: [own] };
}
