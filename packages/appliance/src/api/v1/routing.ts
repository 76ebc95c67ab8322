import type { Config2016, Network2016 } from '@astara/model/appliance/api/v1.ts';
import type { Ha } from '@astara/model/appliance/ha.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import type { Bgp } from '@astara/model/appliance/routing.ts';
import { contains, networkOf, parseCidr } from '@astara/model/ip.ts';
import { gateways } from './networks.ts';
import type { Notes } from './notes.ts';

const ULA = 'fc00::/7';

/** Global prefixes of tenants are announced, and all is taken: there is a session with each IPv6 gateway outside. */
export function translateBgp(
  { asn, neighbor_asn }: Config2016,
  networks: readonly Network2016[],
  notes: Notes,
): Bgp | undefined {
  const outside = new Map(gateways(networks, 6).map(({ address, field }) => [address, field]));
  if (asn === undefined || asn === null || outside.size === 0) return undefined;
  const prefixes = announced(networks);
  [...outside.values()].forEach((field, index) => {
    const neighbor = `/bgp/neighbors/${index}`;
    notes.made(neighbor, field).made(`${neighbor}/asn`, '/neighbor_asn');
    prefixes.forEach((prefix, position) => {
      notes.made(`${neighbor}/export/prefixes/${position}`, prefix.field);
    });
  });
  notes.made('/bgp', '/asn');
  return {
    asn,
    neighbors: [...outside.keys()].map((address) => ({
      address,
      asn: neighbor_asn ?? asn,
      export: { floating_ips: false, tenant_subnets: false, prefixes: prefixes.map(({ cidr }) => cidr) },
      // As many as come: nobody counted them then.
      import: { prefixes: ['::/0'], max_prefixes: 1_000_000 },
    })),
  };
}

function announced(networks: readonly Network2016[]): { readonly cidr: string; readonly field: string }[] {
  return networks.flatMap(({ network_type, subnets = [] }, index) => {
    if (network_type !== 'internal') return [];
    return subnets.flatMap(({ cidr, gateway_ip }, position) => {
      const parsed = parseCidr(cidr);
      if (!gateway_ip || parsed?.version !== 6 || contains(ULA, parsed.address)) return [];
      return [{ cidr: networkOf(cidr), field: `/networks/${index}/subnets/${position}/cidr` }];
    });
  });
}

/** Members heard each other on the management network. */
export function translateHa(body: Config2016, networks: readonly Network[], notes: Notes): Ha | undefined {
  if (body.ha_resource !== true) return undefined;
  const management = networks.find(({ network_type }) => network_type === 'management');
  if (management === undefined) {
    notes.fail('/ha_resource', 'needs a management network, where the members hear each other');
    return undefined;
  }
  notes.made('/ha', '/ha_resource').moved('/ha/peers', '/ha_config/peers').made('/ha/priority', '/ha_config/priority');
  const { priority = 0, peers = [] } = body.ha_config ?? {};
  return {
    vrid: vrid(`${body.tenant_id} ${body.hostname}`),
    priority: Math.min(Math.max(priority, 1), 254),
    interface: management.interface.ifname,
    peers,
  };
}

/** From 1 to 255: the same in all members, and seldom that of another router. */
function vrid(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 255;
  return sum + 1;
}
