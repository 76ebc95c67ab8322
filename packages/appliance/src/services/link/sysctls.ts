import type { Network } from '@astara/model/appliance/network.ts';

/**
 * Kernel switches, in the order in which they are written.
 * - An address is answered for on its own interface only (arp_ignore, arp_announce).
 * - Sources are checked strictly from outside, loosely inside, where a machine with two ports may answer through the other one.
 * - Addresses come from Neutron's IPAM, so duplicate address detection would only delay them.
 */
export function sysctls(networks: readonly Network[]): Record<string, string> {
  const forwarding = networks.some((network) => network.network_type === 'internal') ? '1' : '0';
  const values: Record<string, string> = {
    // First: writing it resets accept_redirects of every interface.
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
  for (const network of networks) {
    const { ifname } = network.interface;
    const external = network.network_type === 'external';
    values[`net/ipv4/conf/${ifname}/rp_filter`] = external ? '1' : '2';
    values[`net/ipv4/conf/${ifname}/send_redirects`] = '0';
    values[`net/ipv4/conf/${ifname}/accept_redirects`] = '0';
    values[`net/ipv6/conf/${ifname}/disable_ipv6`] = '0';
    values[`net/ipv6/conf/${ifname}/accept_dad`] = '0';
    values[`net/ipv6/conf/${ifname}/dad_transmits`] = '0';
    values[`net/ipv6/conf/${ifname}/accept_redirects`] = '0';
    // 2: although this host forwards.
    values[`net/ipv6/conf/${ifname}/accept_ra`] = external && network.v6_conf_service === 'ra' ? '2' : '0';
  }
  return values;
}
