import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import type { RouteState } from './state.ts';

/** The least MTU of a link with IPv6 (RFC 8200 §5): below it the kernel has no IPv6 on an interface at all. */
export const IPV6_MIN_MTU = 1280;
/** Ethernet's. */
export const DEFAULT_MTU = 1500;

/** Switches that the kernel resets when another one is written. */
export const resets: Readonly<Record<string, readonly string[]>> = {
  'net/ipv4/ip_forward': ['net/ipv4/conf/all/accept_redirects'],
};

/**
 * Kernel switches, in the order in which they are written.
 * - An address is answered for on its own interface only (arp_ignore, arp_announce).
 * - Sources are checked strictly from outside, loosely inside, where a machine with two ports may answer through the other one.
 * - Addresses come from Neutron's IPAM, so duplicate address detection would only delay them.
 */
export function sysctls(config: ApplianceConfig, routes: Iterable<RouteState>): Record<string, string> {
  const { networks, bgp } = config;
  const forwarding = networks.some((network) => network.network_type === 'internal') ? '1' : '0';
  const values: Record<string, string> = {
    // First: writing it sets what every interface does.
    'net/ipv4/ip_forward': forwarding,
    'net/ipv6/conf/all/forwarding': forwarding,
    'net/ipv4/conf/all/rp_filter': '0',
    'net/ipv4/conf/all/arp_ignore': '1',
    'net/ipv4/conf/all/arp_announce': '2',
    'net/ipv4/conf/all/accept_redirects': '0',
    'net/ipv4/conf/all/send_redirects': '0',
    // Without it the kernel deletes an interface's other addresses of a subnet together with the first one.
    'net/ipv4/conf/all/promote_secondaries': '1',
  };
  for (const network of networks) Object.assign(values, interfaceSysctls(config, network, forwarding));
  // BIRD may have routes with several next hops as well.
  if (bgp !== undefined || [...routes].some(({ hops }) => hops.length > 1)) {
    // Flows, not pairs of hosts, are shared out (RFC 2992 §1): behind NAT all of a tenant's may have one source.
    values['net/ipv4/fib_multipath_hash_policy'] = '1';
    values['net/ipv6/fib_multipath_hash_policy'] = '1';
    // A next hop that does not answer ARP gets none. IPv6 has nothing like it where the host forwards.
    values['net/ipv4/fib_multipath_use_neigh'] = '1';
  }
  return values;
}

function interfaceSysctls(config: ApplianceConfig, network: Network, forwarding: string): Record<string, string> {
  const { ifname } = network.interface;
  const external = network.network_type === 'external';
  const values: Record<string, string> = {
    [`net/ipv4/conf/${ifname}/forwarding`]: forwarding,
    [`net/ipv4/conf/${ifname}/rp_filter`]: external ? '1' : '2',
    [`net/ipv4/conf/${ifname}/send_redirects`]: '0',
    [`net/ipv4/conf/${ifname}/accept_redirects`]: '0',
  };
  const proxied = network.proxied_addresses ?? [];
  // Hosts ask nobody but us for these, so that there is nobody to leave the answer to.
  if (proxied.length > 0) values[`net/ipv4/neigh/${ifname}/proxy_delay`] = '0';
  if (!hasIpv6(network)) return values;
  values[`net/ipv6/conf/${ifname}/disable_ipv6`] = '0';
  values[`net/ipv6/conf/${ifname}/forwarding`] = forwarding;
  values[`net/ipv6/conf/${ifname}/accept_dad`] = '0';
  values[`net/ipv6/conf/${ifname}/dad_transmits`] = '0';
  values[`net/ipv6/conf/${ifname}/accept_redirects`] = '0';
  // 2: although this host forwards.
  values[`net/ipv6/conf/${ifname}/accept_ra`] = external && network.v6_conf_service === 'ra' ? '2' : '0';
  const proxied6 = hasMetadata6(config, network) || proxied.some((cidr) => cidr.includes(':'));
  values[`net/ipv6/conf/${ifname}/proxy_ndp`] = proxied6 ? '1' : '0';
  if (proxied6) values[`net/ipv6/neigh/${ifname}/proxy_delay`] = '0';
  return values;
}

/** Whether machines of the network are to find the metadata address of IPv6 here. */
export function hasMetadata6({ metadata }: ApplianceConfig, network: Network): boolean {
  const { network_type, subnets } = network;
  const served = network_type === 'internal' || network_type === 'isolated';
  return metadata !== undefined && served && hasIpv6(network) && subnets.some(({ cidr }) => cidr.includes(':'));
}

export function hasIpv6({ interface: { mtu } }: Network): boolean {
  return mtu === undefined || mtu >= IPV6_MIN_MTU;
}
