import type { NetOperation } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyLinkConfig } from '../../testing/arbitrary-link.ts';
import { config, network } from '../../testing/configs.ts';
import { known, unknown } from '../service.ts';
import { desiredLinks } from './desired.ts';
import { linkService } from './service.ts';
import { noLinks } from './state.ts';

const external = network('external', 'qg-x', ['198.51.100.2/24', '2001:db8::2/64']);
const inner = network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64']);

function compiled(made: ApplianceConfig, warnings: string[] = []) {
  return desiredLinks(made, { runDirInside: '/run', warn: (text) => warnings.push(text) });
}

function operations(from: ApplianceConfig | undefined, to: ApplianceConfig): NetOperation[] {
  const before = from === undefined ? unknown : known(compiled(from));
  return linkService.plan(before, compiled(to)).flatMap(({ change }) => {
    return change.kind === 'kernel' ? [...change.prepare, ...change.operations] : [];
  });
}

const routes = (made: ApplianceConfig) => compiled(made).routes;
const router = (more: Partial<ApplianceConfig>) => config([external, inner], more);
const fips = (count: number) =>
  router({
    floating_ips: Array.from({ length: count }, (_, index) => ({
      floating_ip: `203.0.${113 + (index >> 8)}.${index & 255}`,
      fixed_ip: '10.1.0.10',
    })),
  });

describe('addresses', () => {
  it("of floating IPs are on the external interface, behind the interface's own", () => {
    expect([...(compiled(fips(2)).addresses.get('qg-x') ?? [])]).toEqual([
      '198.51.100.2/24',
      '2001:db8::2/64',
      '203.0.113.0/32',
      '203.0.113.1/32',
    ]);
  });

  it('of floating IPs are on the external interface whose subnet holds them, or else on the first', () => {
    const second = network('external', 'qg-y', ['203.0.113.2/28']);
    const { addresses } = compiled(config([external, second, inner], { floating_ips: fips(20).floating_ips }));
    expect(addresses.get('qg-y')?.size).toBe(1 + 15); // one of the sixteen is its own
    expect(addresses.get('qg-x')?.size).toBe(2 + 4);
  });

  it('cost one operation when one is added to ten thousand, or taken away', () => {
    expect(operations(fips(10_000), fips(10_001))).toEqual([
      { op: 'address-add', ifname: 'qg-x', cidr: '203.0.152.16/32' },
    ]);
    expect(operations(fips(10_001), fips(10_000))).toEqual([
      { op: 'address-delete', ifname: 'qg-x', cidr: '203.0.152.16/32' },
    ]);
  });

  it('of IPv6 are taken away before they come with another length', () => {
    const wider = router({});
    wider.networks[1] = network('internal', 'qr-a', ['10.1.0.1/24', 'FD01:0::1/80']);
    expect(operations(router({}), wider)).toEqual([
      { op: 'address-delete', ifname: 'qr-a', cidr: 'fd01::1/64' },
      { op: 'address-add', ifname: 'qr-a', cidr: 'fd01::1/80' },
      { op: 'address-delete', ifname: 'qr-a', cidr: 'fd01::1/64' },
    ]);
  });

  it('of IPv6 are left out where the MTU is too small for them', () => {
    const warnings: string[] = [];
    const tight = network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64'], {
      interface: { ifname: 'qr-a', addresses: ['10.1.0.1/24', 'fd01::1/64'], mtu: 1279 },
    });
    const { addresses, sysctls } = compiled(config([tight]), warnings);
    expect([...(addresses.get('qr-a') ?? [])]).toEqual(['10.1.0.1/24']);
    expect(Object.keys(sysctls).filter((key) => key.startsWith('net/ipv6/conf/qr-a'))).toEqual([]);
    expect(warnings).toEqual(['/networks/0/interface/addresses/1: there is no IPv6 with an MTU below 1280']);
  });

  it('that move with the mastership are left out, and so are the routes through them', () => {
    const ha = { vrid: 1, priority: 100, interface: 'ha0', peers: [] };
    const own = network('isolated', 'ha0', ['192.168.7.1/24']);
    const state = compiled(
      config([external, inner, own], { ha, default_v4_gateway: '198.51.100.1', floating_ips: fips(3).floating_ips }),
    );
    expect(Object.fromEntries(state.addresses)).toEqual({ ha0: new Set(['192.168.7.1/24']) });
    expect([...state.routes.keys()]).toEqual([]);
    expect([...(state.virtual.get('qg-x') ?? [])]).toContain('203.0.113.0/32');
  });
});

describe('routes', () => {
  it('to one destination share its traffic, by weight', () => {
    const found = routes(
      router({
        static_routes: [
          { destination: '172.16.0.1/12', nexthop: '10.1.0.9' },
          { destination: '172.16.0.0/12', nexthop: '10.1.0.8', weight: 3 },
          { destination: '2001:DB8:5::/48', nexthop: 'FD01::0:9' },
        ],
      }),
    );
    expect(found.get('172.16.0.0/12')).toEqual({
      destination: '172.16.0.0/12',
      hops: [
        { via: '10.1.0.8', ifname: 'qr-a', onlink: true, weight: 3 },
        { via: '10.1.0.9', ifname: 'qr-a', onlink: true, weight: 1 },
      ],
    });
    expect(found.get('2001:db8:5::/48')?.hops).toEqual([{ via: 'fd01::9', ifname: 'qr-a', onlink: true, weight: 1 }]);
  });

  it('to everywhere take the place of the default gateway', () => {
    const more = {
      default_v4_gateway: '198.51.100.1',
      static_routes: [{ destination: '0.0.0.0/0', nexthop: '10.1.0.9' }],
    };
    expect(routes(router(more)).get('0.0.0.0/0')?.hops).toEqual([
      { via: '10.1.0.9', ifname: 'qr-a', onlink: true, weight: 1 },
    ]);
  });

  it('by a gateway that is on no subnet leave through the external interface', () => {
    const found = routes(router({ default_v4_gateway: '203.0.113.1', default_v6_gateway: 'FE80::1' }));
    expect(found.get('0.0.0.0/0')?.hops).toEqual([{ via: '203.0.113.1', ifname: 'qg-x', onlink: true, weight: 1 }]);
    expect(found.get('::/0')?.hops).toEqual([{ via: 'fe80::1', ifname: 'qg-x', onlink: true, weight: 1 }]);
  });

  it('that cannot be are left out and warned of', () => {
    const warnings: string[] = [];
    const { routes } = compiled(
      router({
        static_routes: [
          { destination: '172.16.0.0/12', nexthop: '192.0.2.1' },
          { destination: '172.16.0.0/12', nexthop: '10.1.0.1' },
          { destination: '10.1.0.0/24', nexthop: '10.1.0.9' },
          { destination: '192.0.2.0/24', nexthop: '10.1.0.9' },
          { destination: '192.0.2.7/24', nexthop: '10.1.0.9', weight: 2 },
        ],
      }),
      warnings,
    );
    expect(routes.get('192.0.2.0/24')?.hops).toEqual([{ via: '10.1.0.9', ifname: 'qr-a', onlink: true, weight: 2 }]);
    expect(routes.size).toBe(1);
    expect(warnings).toEqual([
      '/static_routes/0: the next hop 192.0.2.1 is on no network',
      '/static_routes/1: the next hop 10.1.0.1 is this appliance itself',
      '/static_routes/2: 10.1.0.0/24 is attached',
      '/static_routes/4: 10.1.0.9 is a next hop of 192.0.2.0/24 already; the last one counts',
    ]);
  });
});

describe('kernel switches', () => {
  const policy = (more: Partial<ApplianceConfig>) =>
    compiled(router(more)).sysctls['net/ipv4/fib_multipath_hash_policy'];

  it('share out flows where a route may have several next hops: by configuration, or by BGP', () => {
    const hops = ['10.1.0.8', '10.1.0.9'].map((nexthop) => ({ destination: '172.16.0.0/12', nexthop }));
    expect(policy({})).toBeUndefined();
    expect(policy({ static_routes: hops.slice(1) })).toBeUndefined();
    expect(policy({ static_routes: hops })).toBe('1');
    expect(policy({ bgp: { asn: 65_001, neighbors: [] } })).toBe('1');
    expect(linkService.reads).toContain('bgp');
  });
});

describe('a plan', () => {
  it('is empty when nothing differs', () => {
    fc.assert(
      fc.property(anyLinkConfig, (made) => linkService.plan(known(compiled(made)), compiled(made)).length === 0),
      { numRuns: 200 },
    );
  });

  it('writes again what another kernel switch resets', () => {
    const wanted = compiled(router({}));
    const drifted = { ...wanted, sysctls: { ...wanted.sysctls, 'net/ipv4/ip_forward': '0' } };
    const [step] = linkService.plan(known(drifted), wanted);
    expect(step?.change).toMatchObject({
      sysctls: { 'net/ipv4/ip_forward': '1', 'net/ipv4/conf/all/accept_redirects': '0' },
    });
    expect(step?.detail?.()).toContain('net/ipv4/ip_forward = 1 (was 0)');
  });

  it('says line by line what it does', () => {
    const hops = ['10.1.0.8', '10.1.0.9'].map((nexthop) => ({ destination: '172.16.0.0/12', nexthop }));
    const [step] = linkService.plan(known(compiled(router({}))), compiled(router({ static_routes: hops })));
    expect(step?.detail?.()).toContain(
      'route-replace destination=172.16.0.0/12 hops=' +
        '[{"via":"10.1.0.8","ifname":"qr-a","onlink":true,"weight":1},{"via":"10.1.0.9","ifname":"qr-a","onlink":true,"weight":1}]',
    );
    expect(linkService.plan(known(noLinks), noLinks)).toEqual([]);
  });
});
