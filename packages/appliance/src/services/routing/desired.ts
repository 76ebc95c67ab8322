import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { digest } from '@astara/model/digest.ts';
import { parseCidr } from '@astara/model/ip.ts';
import { type Ip, ip } from '../../values.ts';
import { desiredBgp } from './desired-bgp.ts';
import { desiredRa } from './desired-ra.ts';
import type { RoutingNode } from './nodes.ts';

/** Undefined when there is nothing to say to anybody. */
export function desiredRouting(config: ApplianceConfig, warn: (text: string) => void): RoutingNode | undefined {
  const ra = desiredRa(config);
  const bgp = desiredBgp(config, warn);
  if (ra.length === 0 && bgp === undefined) return undefined;
  return Object.freeze({ routerId: routerId(config), ra, ...(bgp === undefined ? {} : { bgp }) });
}

/** Any number that is no other router's (RFC 6286); an address is what people look for. */
function routerId({ bgp, networks, hostname, tenant_id }: ApplianceConfig): Ip {
  if (bgp?.router_id !== undefined) return ip(bgp.router_id, '/bgp/router_id');
  const external = networks.filter(({ network_type }) => network_type === 'external');
  for (const network of [...external, ...networks]) {
    const own = network.interface.addresses.find((cidr) => !cidr.includes(':'));
    const address = own === undefined ? undefined : parseCidr(own)?.address;
    if (address !== undefined && address !== '0.0.0.0') return ip(address, '/networks');
  }
  const hash = digest([hostname, tenant_id]);
  // Of the private 10/8, so that it is nobody's address.
  const parts = [0, 2, 4].map((at) => Number.parseInt(hash.slice(at, at + 2), 16));
  return ip(`10.${parts.join('.')}`, '/bgp/router_id');
}
