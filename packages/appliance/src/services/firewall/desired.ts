import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { ifname, ip, prefix } from '../../values.ts';
import type { FirewallState } from './state.ts';

/** What the configuration lets through and translates. */
export function desiredFirewall(config: ApplianceConfig): FirewallState {
  const interfaces = (wanted: (network: Network) => boolean) =>
    new Map(
      config.networks
        .map((network, index) => [network, index] as const)
        .filter(([network]) => wanted(network))
        .map(
          ([network, index]) => [ifname(network.interface.ifname, `/networks/${index}/interface/ifname`), ''] as const,
        ),
    );
  const is = (...types: string[]) => interfaces((network) => types.includes(network.network_type));

  const routed4 = new Map<string, string>();
  const routed6 = new Map<string, string>();
  const snatTo = new Map<string, string>();
  config.networks.forEach((network, index) => {
    if (network.network_type === 'internal') {
      network.subnets.forEach((subnet, position) => {
        if (subnet.nat !== false) return;
        const field = `/networks/${index}/subnets/${position}/cidr`;
        const cidr = networkOf(prefix(subnet.cidr, field));
        (cidr.includes(':') ? routed6 : routed4).set(element(cidr), '');
      });
    }
    if (network.network_type === 'external' && config.snat !== false) {
      const own = network.interface.addresses.find((cidr) => parseCidr(cidr)?.version === 4);
      const address = own === undefined ? undefined : parseCidr(own)?.address;
      if (address !== undefined) {
        const field = `/networks/${index}/interface`;
        snatTo.set(ifname(network.interface.ifname, `${field}/ifname`), ip(address, `${field}/addresses`));
      }
    }
  });

  const fipIn = new Map<string, string>();
  const fipOut = new Map<string, string>();
  if (config.networks.some((network) => network.network_type === 'external')) {
    config.floating_ips.forEach((floating, index) => {
      const outer = ip(floating.floating_ip, `/floating_ips/${index}/floating_ip`);
      const inner = ip(floating.fixed_ip, `/floating_ips/${index}/fixed_ip`);
      fipIn.set(outer, inner);
      // Several floating addresses of one host: all lead in, the first is the one it leaves with.
      if (!fipOut.has(inner)) fipOut.set(inner, outer);
    });
  }

  const elements = {
    known_if: interfaces(() => true),
    internal_if: is('internal'),
    external_if: is('external'),
    service_if: is('internal', 'isolated'),
    metadata_if: config.metadata === undefined ? new Map<string, string>() : is('internal', 'isolated'),
    management_if: is('management'),
    routed4,
    routed6,
    snat_to: snatTo,
    fip_in: fipIn,
    fip_out: fipOut,
  };
  return Object.freeze({ table: true, elements: Object.freeze(elements) });
}

/** As nft lists it: a prefix of full length is an address. */
function element(cidr: string): string {
  return cidr.endsWith(cidr.includes(':') ? '/128' : '/32') ? cidr.slice(0, cidr.indexOf('/')) : cidr;
}
