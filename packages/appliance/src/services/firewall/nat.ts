import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { FloatingIp, RateLimit } from '@astara/model/appliance/nat.ts';
import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { ifname, ip, prefix } from '../../values.ts';
import { externalFor } from '../link/desired.ts';
import { prefixSetOf, type Version, versionOf } from './intervals.ts';
import { protocolNumbers } from './protocols.ts';

/** Into so many shares internal sources are divided, by a hash of their address. */
export const SNAT_SHARES = 64;
/**
 * Bytes. Segmentation offload hands over up to 64 KiB at once, which would never fit into less. The kernel's bucket holds a
 * second's worth besides.
 */
const MIN_BURST = 65_536;

type Elements = Map<string, string>;

export interface NatElements {
  readonly routed4: Elements;
  readonly routed6: Elements;
  readonly snat_to: Elements;
  readonly fip_in: Elements;
  readonly fip_out: Elements;
  readonly forwarded: Elements;
  readonly forwarded_range: Elements;
  readonly limit_in: Elements;
  readonly limit_out: Elements;
  readonly limited: Elements;
}

/** What is translated. Without an external network nothing is. */
export function desiredNat(config: ApplianceConfig, warn: (text: string) => void): NatElements {
  const external = config.networks.some((network) => network.network_type === 'external');
  if (!external && (config.port_forwardings?.length ?? 0) > 0) {
    warn('port_forwardings: there is no external network, so they are not served');
  }
  return {
    ...routedSubnets(config),
    snat_to: config.snat === false ? new Map() : sourceNat(config, warn),
    ...floatingIps(external ? config.floating_ips : []),
    ...portForwardings(external ? config : { ...config, port_forwardings: [] }),
  };
}

/** Those without NAT; of IPv4 all, where nothing is translated. */
function routedSubnets({ networks, snat = true }: ApplianceConfig): Pick<NatElements, 'routed4' | 'routed6'> {
  const found: Record<Version, string[]> = { 4: [], 6: [] };
  networks.forEach((network, index) => {
    if (network.network_type !== 'internal') return;
    network.subnets.forEach(({ cidr, nat }, position) => {
      if (nat !== false && (snat || versionOf(cidr) === 6)) return;
      const checked = networkOf(prefix(cidr, `/networks/${index}/subnets/${position}/cidr`));
      found[versionOf(checked)].push(checked);
    });
  });
  return { routed4: prefixSetOf(found[4], 4), routed6: prefixSetOf(found[6], 6) };
}

/** Each external interface → its addresses, over and over until all shares have one. */
function sourceNat(config: ApplianceConfig, warn: (text: string) => void): Elements {
  const given = new Map<string, string[]>();
  config.snat_addresses?.forEach((text, index) => {
    const address = ip(text, `/snat_addresses/${index}`);
    const name = externalFor(config.networks, address)?.interface.ifname;
    if (name === undefined) warn(`/snat_addresses/${index}: there is no external network`);
    else given.set(name, [...(given.get(name) ?? []), address]);
  });
  const elements = new Map<string, string>();
  config.networks.forEach((network, index) => {
    if (network.network_type !== 'external') return;
    const field = `/networks/${index}/interface`;
    const name = ifname(network.interface.ifname, `${field}/ifname`);
    const own = network.interface.addresses
      .flatMap((cidr) => parseCidr(cidr) ?? [])
      .find(({ version }) => version === 4);
    const addresses = given.get(name) ?? (own === undefined ? [] : [ip(own.address, `${field}/addresses`)]);
    for (let share = 0; share < SNAT_SHARES && addresses.length > 0; share++) {
      elements.set(`${name} . ${share}`, addresses[share % addresses.length] ?? '');
    }
  });
  return elements;
}

function floatingIps(
  floating: readonly FloatingIp[],
): Pick<NatElements, 'fip_in' | 'fip_out' | 'limit_in' | 'limit_out' | 'limited'> {
  const [fipIn, fipOut, limitIn, limitOut, limited] = [new Map(), new Map(), new Map(), new Map(), new Map()];
  floating.forEach(({ floating_ip, fixed_ip, rate_limits }, index) => {
    const outer = ip(floating_ip, `/floating_ips/${index}/floating_ip`);
    const inner = ip(fixed_ip, `/floating_ips/${index}/fixed_ip`);
    fipIn.set(outer, inner);
    // Several floating addresses of one host: all lead in, the first is the one it leaves with.
    if (!fipOut.has(inner)) fipOut.set(inner, outer);
    if (rate_limits?.ingress !== undefined) limitIn.set(outer, limitText(rate_limits.ingress));
    if (rate_limits?.egress !== undefined) limitOut.set(outer, limitText(rate_limits.egress));
    if (rate_limits?.ingress !== undefined || rate_limits?.egress !== undefined) limited.set(outer, '');
  });
  return { fip_in: fipIn, fip_out: fipOut, limit_in: limitIn, limit_out: limitOut, limited };
}

/** `bytes per second/bytes`; a kilobit is 125 bytes. */
function limitText({ max_kbps, max_burst_kbps = 0 }: RateLimit): string {
  const burst = max_burst_kbps === 0 ? Math.ceil(max_kbps * 100) : max_burst_kbps * 125;
  return `${max_kbps * 125}/${Math.min(Math.max(burst, MIN_BURST), 4_000_000_000)}`;
}

function portForwardings({
  port_forwardings = [],
}: ApplianceConfig): Pick<NatElements, 'forwarded' | 'forwarded_range'> {
  const forwarded = new Map<string, string>();
  const ranges = new Map<string, string>();
  port_forwardings.forEach((forwarding, index) => {
    const { external_port: first, external_port_end: last = first, internal_port, internal_port_end } = forwarding;
    const field = `/port_forwardings/${index}`;
    const outer = ip(forwarding.floating_ip, `${field}/floating_ip`);
    const inner = ip(forwarding.internal_ip, `${field}/internal_ip`);
    const key = `${outer} . ${protocolNumbers[forwarding.protocol]} . `;
    const single = internal_port_end === undefined || internal_port_end === internal_port;
    if (first !== last && !single && first === internal_port) {
      ranges.set(`${key}${first}-${last}`, inner);
      return;
    }
    // nft cannot add to a port, so that a range which moves is one element for each.
    for (let port = first; port <= last; port++) {
      forwarded.set(`${key}${port}`, `${inner} . ${single ? internal_port : internal_port + port - first}`);
    }
  });
  return { forwarded, forwarded_range: ranges };
}
