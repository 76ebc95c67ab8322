import { createHash } from 'node:crypto';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Allocation, Network, Subnet } from '@astara/model/appliance/network.ts';
import { contains, networkOf, parseCidr } from '@astara/model/ip.ts';
import {
  type DnsName,
  dnsName,
  type Ip,
  ifname,
  ip,
  type Mac,
  mac,
  optionName,
  type Prefix,
  prefix,
  printable,
} from '../../values.ts';
import type { DhcpNode, HostNode, NameNode, OptionNode, OptionValue, RangeNode, Tag } from './nodes.ts';

const DEFAULT_LEASE = 86_400;
const METADATA = '169.254.169.254/32';

/** What dnsmasq is to serve; undefined when no subnet of the configuration has DHCP. */
export function desiredDhcp(config: ApplianceConfig): DhcpNode | undefined {
  const served = config.networks
    .map((network, index) => ({ network, field: `/networks/${index}` }))
    .filter(({ network: { network_type, subnets } }) => {
      return (network_type === 'internal' || network_type === 'isolated') && subnets.some(hasDhcp);
    });
  if (served.length === 0) return undefined;

  const ranges: RangeNode[] = [];
  const options: OptionNode[] = [];
  // By address: of two allocations of one address, which an event late may bring, the later one counts.
  const hosts = new Map<string, HostNode>();
  const names = new Map<string, NameNode>();
  const tagged = new Map<string, Mac>();
  const domains = new Set<DnsName>();

  for (const { network, field } of served) {
    const domain = dnsName(network.dns_domain ?? 'openstacklocal', `${field}/dns_domain`);
    domains.add(domain);
    network.subnets.forEach((subnet, position) => {
      if (!leases(subnet)) return;
      const served = range(network, subnet, `${field}/subnets/${position}`, domain, config.dhcp_lease_duration);
      if (served === undefined) return;
      ranges.push(served);
      options.push(...subnetOptions(config, network, subnet, served, `${field}/subnets/${position}`));
    });
    network.allocations.forEach((allocation, position) => {
      const place = `${field}/allocations/${position}`;
      for (const node of hostNodes(allocation, place)) {
        for (const address of node.addresses) hosts.set(address, node);
      }
      const own = portOptions(allocation, place);
      if (own.length > 0) tagged.set(own[0]?.tag ?? '', mac(allocation.mac_address, place));
      options.push(...own);
      for (const text of Object.keys(allocation.ip_addresses)) {
        const address = ip(text, `${place}/ip_addresses`);
        names.set(address, nameNode(address, dnsName(allocation.hostname, `${place}/hostname`), domain));
      }
    });
  }

  return Object.freeze({
    interfaces: served.map(({ network, field }) => ifname(network.interface.ifname, `${field}/interface/ifname`)),
    ranges,
    domains: [...domains],
    forwarders: (config.dns_forwarders ?? []).map((address, index) => ip(address, `/dns_forwarders/${index}`)),
    hosts: withoutLosers(hosts),
    tagged: [...tagged].map(([tag, hardware]) => ({ tag: tag as Tag, mac: hardware })),
    options,
    names: [...names.values()],
  });
}

/** Address → MAC of the host it is handed out to. */
export function owners(node: DhcpNode): Map<string, string> {
  return new Map(node.hosts.flatMap((host) => host.addresses.map((address) => [address, host.mac] as const)));
}

/** A node that lost one of its addresses to a later allocation keeps the others. */
function withoutLosers(hosts: ReadonlyMap<string, HostNode>): HostNode[] {
  return [...new Set(hosts.values())].map((node) => {
    const kept = node.addresses.filter((address) => hosts.get(address) === node);
    return kept.length === node.addresses.length ? node : { ...node, addresses: kept };
  });
}

function hasDhcp(subnet: Subnet): boolean {
  return subnet.dhcp_enabled;
}

/** SLAAC alone gives addresses without us, but not names: such a subnet is served DNS only. */
function leases(subnet: Subnet): boolean {
  return subnet.dhcp_enabled && subnet.ipv6_ra_mode !== 'slaac';
}

function range(
  network: Network,
  subnet: Subnet,
  field: string,
  domain: DnsName,
  lease = DEFAULT_LEASE,
): RangeNode | undefined {
  const cidr = networkOf(prefix(subnet.cidr, `${field}/cidr`)) as Prefix;
  const own = ownAddress(network, cidr.includes(':') ? 6 : 4);
  // Without an address of the version on the segment nobody could hear us.
  if (own === undefined) return undefined;
  return {
    tag: tagOf('s', subnet.id),
    cidr,
    domain,
    lease,
    ifname: ifname(network.interface.ifname, field),
    ...(ownAddressIn(network, cidr) === undefined ? { sharedWith: own } : {}),
  };
}

function subnetOptions(
  config: ApplianceConfig,
  network: Network,
  subnet: Subnet,
  { tag, cidr, domain }: RangeNode,
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

/** One line for each IPv4 address; the first also carries the IPv6 ones, further IPv6 ones a line each. */
function hostNodes(allocation: Allocation, field: string): HostNode[] {
  const given = Object.entries(allocation.ip_addresses)
    .filter(([, dhcp]) => dhcp)
    .map(([address]) => ip(address, `${field}/ip_addresses`));
  const four = given.filter((address) => !address.includes(':'));
  const six = given.filter((address) => address.includes(':'));
  const hardware = mac(allocation.mac_address, `${field}/mac_address`);
  const hostname = dnsName(allocation.hostname, `${field}/hostname`);
  return Array.from({ length: Math.max(four.length, six.length) }, (_, index) => ({
    mac: hardware,
    addresses: [four[index], six[index]].filter((address) => address !== undefined),
    hostname,
  }));
}

function portOptions(allocation: Allocation, field: string): OptionNode[] {
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

/** The port's name, and one made from the address, with and without the domain. Names of checked labels need no check. */
function nameNode(address: Ip, hostname: DnsName, domain: DnsName): NameNode {
  const made = `host-${address.replace(/[.:]/g, '-')}`.replace(/-+$/, '');
  const labels = hostname === made ? [made] : [hostname, made];
  return { address, names: labels.flatMap((label) => [`${label}.${domain}`, label]) as DnsName[] };
}

function ownAddresses(network: Network): string[] {
  return network.interface.addresses.flatMap((cidr) => {
    const parsed = parseCidr(cidr);
    return parsed === undefined ? [] : [ip(parsed.address, 'addresses')];
  });
}

function ownAddressIn(network: Network, cidr: string): Ip | undefined {
  return ownAddresses(network).find((address) => contains(cidr, address)) as Ip | undefined;
}

function ownAddress(network: Network, version: 4 | 6): Ip | undefined {
  return ownAddresses(network).find((address) => address.includes(':') === (version === 6)) as Ip | undefined;
}

/** Short, of letters and digits, and the same whatever else is in the configuration. */
function tagOf(letter: 's' | 'p', id: string): Tag {
  return (letter + createHash('sha1').update(id).digest('hex').slice(0, 16)) as Tag;
}
