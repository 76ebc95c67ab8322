import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import type { Network } from '../network.ts';
import type { BgpNeighbor, RouterAdvertisement } from '../routing.ts';
import { validateConfig } from '../rules.ts';
import { MASK } from '../secret.ts';

const external: Network = {
  network_id: 'e1',
  name: 'public',
  network_type: 'external',
  interface: { ifname: 'qg-x', addresses: ['198.51.100.2/24', '2001:db8::2/64'] },
  v4_conf_service: 'static',
  v6_conf_service: 'static',
  subnets: [],
  allocations: [],
};
const config: ApplianceConfig = { hostname: 'r', tenant_id: 'c1', networks: [external], floating_ips: [] };
const neighbor: BgpNeighbor = { address: '198.51.100.1', asn: 65_000 };

function withNeighbors(...neighbors: object[]) {
  return { ...config, bgp: { asn: 65_001, neighbors: neighbors.map((change) => ({ ...neighbor, ...change })) } };
}

function withRa(router_advertisement: RouterAdvertisement) {
  return { ...config, networks: [{ ...external, router_advertisement }] };
}

function fields(input: unknown): string[] {
  const result = validateConfig(input);
  return result.ok ? [] : result.errors.map(({ field }) => field);
}

describe('routing', () => {
  const right: [string, unknown][] = [
    ['a neighbour', withNeighbors({})],
    ['no neighbour yet', { ...config, bgp: { asn: 4_294_967_295, neighbors: [] } }],
    [
      'several, with everything',
      withNeighbors(
        { password: " \\s{}#;'%", bfd: true, hold_time: 3, passive: true },
        { address: '192.0.2.1', multihop: 4, import: { prefixes: ['10.0.0.0/8'], max_prefixes: 5 } },
        { address: '2001:db8::1', export: { prefixes: ['2001:db8:9::/48'], communities: ['65001:1', '65001:1:2'] } },
        { address: 'fe80::1', interface: 'qg-x' },
        { address: 'fe80::1' },
      ),
    ],
    ['a router that is nobody’s default', withRa({ router_lifetime: 0, preference: 'low', search_domains: ['a.b'] })],
  ];
  it.each(right)('is accepted with %s', (_what, input) => {
    expect(fields(input)).toEqual([]);
  });

  const wrong: [string, unknown, string][] = [
    ['AS 0', withNeighbors({ asn: 0 }), '/bgp/neighbors/0/asn'],
    ['no address', withNeighbors({ address: '1:2' }), '/bgp/neighbors/0/address'],
    ['its own address', withNeighbors({ address: '2001:DB8:0::2' }), '/bgp/neighbors/0/address'],
    ['a multicast address', withNeighbors({ address: 'ff02::1' }), '/bgp/neighbors/0/address'],
    ['a mapped address', withNeighbors({ address: '::ffff:192.0.2.1' }), '/bgp/neighbors/0/address'],
    ['a neighbour twice', withNeighbors({}, {}), '/bgp/neighbors/1/address'],
    ['a far link-local neighbour', withNeighbors({ address: 'fe80::1', multihop: 2 }), '/bgp/neighbors/0/multihop'],
    ['an interface for nothing', withNeighbors({ interface: 'qg-x' }), '/bgp/neighbors/0/interface'],
    [
      'an interface that is not there',
      withNeighbors({ address: 'fe80::1', interface: 'eth9' }),
      '/bgp/neighbors/0/interface',
    ],
    [
      'a link-local neighbour anywhere',
      { ...withNeighbors({ address: 'fe80::1' }), networks: [{ ...external, network_type: 'internal' }] },
      '/bgp/neighbors/0/interface',
    ],
    ['a quote in a password', withNeighbors({ password: 'a"b' }), '/bgp/neighbors/0/password'],
    ['a line break in a password', withNeighbors({ password: 'a\nb' }), '/bgp/neighbors/0/password'],
    ['the mask as a password', withNeighbors({ password: MASK }), '/bgp/neighbors/0/password'],
    [
      'a prefix of the other version',
      withNeighbors({ export: { prefixes: ['fd00::/8'] } }),
      '/bgp/neighbors/0/export/prefixes/0',
    ],
    [
      'a prefix that is none',
      withNeighbors({ import: { prefixes: ['10.0.0.0/33'] } }),
      '/bgp/neighbors/0/import/prefixes/0',
    ],
    [
      'a community that is too large',
      withNeighbors({ export: { communities: ['65001:65536'] } }),
      '/bgp/neighbors/0/export/communities/0',
    ],
    [
      'a large community that is too large',
      withNeighbors({ export: { communities: ['1:1:4294967296'] } }),
      '/bgp/neighbors/0/export/communities/0',
    ],
    ['router id 0.0.0.0', { ...config, bgp: { asn: 1, router_id: '0.0.0.0', neighbors: [] } }, '/bgp/router_id'],
    [
      'a lifetime below the interval',
      withRa({ router_lifetime: 60 }),
      '/networks/0/router_advertisement/router_lifetime',
    ],
    [
      'addresses preferred for longer than they are valid',
      withRa({ valid_lifetime: 60, preferred_lifetime: 61 }),
      '/networks/0/router_advertisement/preferred_lifetime',
    ],
    [
      'a search domain with a label that is too long',
      withRa({ search_domains: [`${'a'.repeat(60)}.${'b'.repeat(64)}`] }),
      '/networks/0/router_advertisement/search_domains/0',
    ],
  ];
  it.each(wrong)('is refused with %s', (_what, input, field) => {
    expect(fields(input)).toEqual([field]);
  });
});
