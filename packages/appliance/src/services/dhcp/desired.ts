import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Allocation, Network, Subnet } from '@astara/model/appliance/network.ts';
import { contains, networkOf } from '@astara/model/ip.ts';
import { dnsName, type Ip, ifname, ip, type Mac, mac, type Prefix, prefix } from '../../values.ts';
import { dnsNodes } from './names.ts';
import type { DhcpNode, HostNode, NetworkNode, OptionNode, RangeNode, Tag } from './nodes.ts';
import { portOptions, statelessOptions, subnetOptions, tagOf } from './options.ts';
import { ownAddress, ownAddressIn } from './own.ts';

const DEFAULT_LEASE = 86_400;

/** A network that we serve, and where it is in the configuration. */
export interface Served {
  readonly network: Network;
  readonly field: string;
}

/** What each network with a subnet that has DHCP is to be served. */
export function desiredNetworks(config: ApplianceConfig, warn: (text: string) => void): NetworkNode[] {
  const served = config.networks
    .map((network, index) => ({ network, field: `/networks/${index}` }))
    .filter(({ network: { network_type, subnets } }) => {
      return (network_type === 'internal' || network_type === 'isolated') && subnets.some(hasDhcp);
    });
  const dns = dnsNodes(config, served);
  return served.flatMap((each) => {
    const node = dns.get(each);
    if (node === undefined) return [];
    const { ifname, network_id: networkId } = { ifname: node.ifname, network_id: each.network.network_id };
    return [Object.freeze({ ifname, networkId, dns: node, dhcp: dhcpNode(config, each, warn) })];
  });
}

/** Address → MAC of the host it is handed out to. */
export function owners(node: DhcpNode): Map<string, string> {
  const all = new Map<string, string>();
  for (const { mac, addresses } of node.hosts) for (const address of addresses) all.set(address, mac);
  return all;
}

function dhcpNode(config: ApplianceConfig, { network, field }: Served, warn: (text: string) => void) {
  const domain = dnsName(network.dns_domain ?? 'openstacklocal', `${field}/dns_domain`);
  const ranges: RangeNode[] = [];
  const options: OptionNode[] = [];
  network.subnets.forEach((subnet, position) => {
    if (!leases(subnet)) return;
    const place = `${field}/subnets/${position}`;
    const node = range(network, subnet, place, config.dhcp_lease_duration);
    if (node === undefined) {
      warn(`${place}: no DHCP, for ${network.interface.ifname} has no address of its IP version`);
      return;
    }
    ranges.push(node);
    options.push(...subnetOptions(config, network, subnet, node, domain, place));
  });
  if (ranges.length === 0) return undefined;
  options.push(...statelessOptions(options));

  const autonomous = network.subnets.filter(isAutonomous).map(({ cidr }) => cidr);
  // By address: of two allocations of one address, which an event late may bring, the later one counts.
  const hosts = new Map<string, HostNode>();
  let addresses = 0;
  const tagged = new Map<Tag, Mac>();
  network.allocations.forEach((allocation, position) => {
    const place = `${field}/allocations/${position}`;
    for (const node of hostNodes(allocation, autonomous, place)) {
      addresses += node.addresses.length;
      for (const address of node.addresses) hosts.set(address, node);
    }
    const own = portOptions(allocation, place);
    if (own[0]?.tag !== undefined) tagged.set(own[0].tag, mac(allocation.mac_address, place));
    options.push(...own);
  });
  return Object.freeze({
    ifname: ifname(network.interface.ifname, `${field}/interface/ifname`),
    ranges,
    hosts: hosts.size === addresses ? [...new Set(hosts.values())] : withoutLosers(hosts),
    tagged: [...tagged].map(([tag, hardware]) => ({ tag, mac: hardware })),
    options,
  });
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

/** Its hosts form their addresses themselves (RFC 4862). */
function isAutonomous(subnet: Subnet): boolean {
  return subnet.ipv6_ra_mode === 'slaac' || subnet.ipv6_ra_mode === 'dhcpv6-stateless';
}

function range(network: Network, subnet: Subnet, field: string, lease = DEFAULT_LEASE): RangeNode | undefined {
  const cidr = networkOf(prefix(subnet.cidr, `${field}/cidr`)) as Prefix;
  const here = ownAddressIn(network, cidr);
  const own = here ?? ownAddress(network, cidr.includes(':') ? 6 : 4);
  // Without an address of the version on the segment nobody could hear us.
  if (own === undefined) return undefined;
  return { tag: tagOf('s', subnet.id), cidr, lease, own, shared: here === undefined };
}

/** One line for each IPv4 address; the first also carries the IPv6 ones, further IPv6 ones a line each. */
function hostNodes(allocation: Allocation, autonomous: readonly string[], field: string): HostNode[] {
  const four: Ip[] = [];
  const six: Ip[] = [];
  for (const text in allocation.ip_addresses) {
    if (allocation.ip_addresses[text] !== true) continue;
    const address = ip(text, `${field}/ip_addresses`);
    if (!address.includes(':')) four.push(address);
    else if (!autonomous.some((cidr) => contains(cidr, address))) six.push(address);
  }
  if (four.length === 0 && six.length === 0) return [];
  const hardware = mac(allocation.mac_address, `${field}/mac_address`);
  const hostname = dnsName(allocation.hostname, `${field}/hostname`);
  // Most have this.
  if (four.length === 1 && six.length === 0) return [{ mac: hardware, addresses: four, hostname }];
  return Array.from({ length: Math.max(four.length, six.length) }, (_, index) => ({
    mac: hardware,
    addresses: [four[index], six[index]].filter((address) => address !== undefined),
    hostname,
  }));
}
