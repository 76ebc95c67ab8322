import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { canonicalIp, parseCidr } from '@astara/model/ip.ts';
import { type Ip, ip } from '../../values.ts';

/**
 * External addresses, each once, that the firewall translates and that are no interface's own: the router must have them, or
 * nobody on the segment knows where they are. Floating IPs first, then those of port forwardings, then of source NAT.
 */
export function translatedAddresses(config: ApplianceConfig): readonly Ip[] {
  const own = new Set(
    config.networks.flatMap((network) =>
      network.interface.addresses.flatMap((cidr) => {
        const parsed = parseCidr(cidr);
        return parsed === undefined ? [] : [canonicalIp(parsed.address)];
      }),
    ),
  );
  const found = new Set<Ip>();
  config.floating_ips.forEach(({ floating_ip }, index) => {
    found.add(ip(floating_ip, `/floating_ips/${index}/floating_ip`));
  });
  config.port_forwardings?.forEach(({ floating_ip }, index) => {
    found.add(ip(floating_ip, `/port_forwardings/${index}/floating_ip`));
  });
  if (config.snat !== false) {
    config.snat_addresses?.forEach((address, index) => {
      found.add(ip(address, `/snat_addresses/${index}`));
    });
  }
  return [...found].filter((address) => !own.has(address));
}
