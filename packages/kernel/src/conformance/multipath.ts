/** Routes with several next hops, with a metric, and deleted whatever their next hops. */
import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import { ROUTE_PROTOCOL } from '../contract.ts';
import { inNetns, ipJson } from './world.ts';

const FAMILIES = [
  { family: 4, destination: '10.5.0.0/16', hop: (host: number) => `192.0.2.${host}`, metric: {} },
  { family: 6, destination: '2001:db8:5::/48', hop: (host: number) => `2001:db8::${host}`, metric: { metric: 1024 } },
] as const;

export function multipathTests(subject: Subject): void {
  for (const { family, destination, hop, metric } of FAMILIES) {
    test(`IPv${family}: several next hops with weights, replaced by others, by one, and back; deleted whole`, async () => {
      const { here } = await subject.world.pair();
      const protocol = ROUTE_PROTOCOL;
      const entry = (host: number, weight?: number) => ({
        destination,
        protocol,
        via: hop(host),
        ifname: 'here',
        ...metric,
        ...(weight === undefined ? {} : { weight }),
      });
      const sorted = async () => (await here.routes()).sort((a, b) => (a.via ?? '').localeCompare(b.via ?? ''));
      const two = [
        { via: hop(2), weight: 3 },
        { via: hop(3), ifname: 'here' },
      ];

      await here.change([{ op: 'route-replace', destination, hops: two }]);
      expect(await sorted()).toEqual([entry(2, 3), entry(3, 1)]);
      const shown = await ipJson<{ nexthops: { gateway: string; weight: number }[] }>(
        here.name,
        `-${family}`,
        ...['route', 'show', 'proto', String(protocol)],
      );
      expect(shown).toHaveLength(1);
      expect(shown[0]?.nexthops.map(({ gateway, weight }) => `${gateway} ${weight}`).sort()).toEqual([
        `${hop(2)} 3`,
        `${hop(3)} 1`,
      ]);

      await here.change([{ op: 'route-replace', destination, hops: two }]);
      expect(await sorted()).toEqual([entry(2, 3), entry(3, 1)]);
      const others = [{ via: hop(3), weight: 256 }, { via: hop(4), weight: 2 }, { via: hop(5) }];
      await here.change([{ op: 'route-replace', destination, hops: others }]);
      expect(await sorted()).toEqual([entry(3, 256), entry(4, 2), entry(5, 1)]);
      await here.change([{ op: 'route-replace', destination, via: hop(4) }]);
      expect(await sorted()).toEqual([entry(4)]);
      await here.change([{ op: 'route-replace', destination, ifname: 'here' }]);
      expect(await sorted()).toEqual([{ destination, protocol, ifname: 'here', ...metric }]);
      await here.change([{ op: 'route-replace', destination, hops: two }]);
      expect(await sorted()).toEqual([entry(2, 3), entry(3, 1)]);
      const remove = { op: 'route-delete', destination } as const;
      await here.change([remove, remove]);
      expect(await here.routes()).toEqual([]);
    });
  }

  test('next hops that are link-local, off the subnet, and IPv6 for IPv4', async () => {
    const { here } = await subject.world.pair();
    const v6 = { op: 'route-replace', destination: '::/0' } as const;
    await here.change([
      { ...v6, hops: [2, 3].map((host) => ({ via: `fe80::${host}`, ifname: 'here' })) },
      {
        op: 'route-replace',
        destination: '0.0.0.0/0',
        hops: [
          { via: '203.0.113.1', ifname: 'here', onlink: true },
          { via: 'fe80::2', ifname: 'here' },
        ],
      },
    ]);
    expect((await here.routes()).map(({ destination, via }) => `${destination} ${via}`).sort()).toEqual([
      '0.0.0.0/0 203.0.113.1',
      '0.0.0.0/0 fe80::2',
      '::/0 fe80::2',
      '::/0 fe80::3',
    ]);
    const hops = [{ via: '192.0.2.2' }, { via: '203.0.113.9' }];
    await expect(here.change([{ op: 'route-replace', destination: '10.0.0.0/8', hops }])).rejects.toMatchObject({
      errno: 'ENETUNREACH',
      object: `10.0.0.0/8 via 192.0.2.2 and via 203.0.113.9 in ${here.name}`,
    });
  });

  test('a route with a metric is another one, and is deleted alone', async () => {
    const { here } = await subject.world.pair();
    for (const { destination, hop, metric } of FAMILIES) {
      await here.change([
        { op: 'route-replace', destination, via: hop(2) },
        { op: 'route-replace', destination, via: hop(3), metric: 2000 },
      ]);
      expect(await here.routes()).toHaveLength(2);
      await here.change([{ op: 'route-delete', destination, metric: 2000 }]);
      expect(await here.routes()).toMatchObject([{ destination, via: hop(2), ...metric }]);
      await here.change([{ op: 'route-delete', destination }]);
    }
  });

  test('a deletion without next hop leaves routes of others', async () => {
    const { here } = await subject.world.pair();
    for (const { destination, hop } of FAMILIES) {
      await inNetns(here.name, 'ip', 'route', 'add', destination, 'via', hop(2), 'proto', 'static');
      await here.change([{ op: 'route-delete', destination }]);
    }
    expect((await here.routes()).map(({ destination }) => destination)).toEqual(
      FAMILIES.map(({ destination }) => destination),
    );
  });

  test('lists of next hops that say more or less than they should are refused', async () => {
    const { here } = await subject.world.pair();
    const route = { op: 'route-replace', destination: '10.5.0.0/16' } as const;
    for (const bad of [
      { ...route, hops: [] },
      { ...route, hops: [{ via: '192.0.2.2' }], via: '192.0.2.3' },
      { ...route, hops: [{ via: '192.0.2.2', weight: 0 }] },
      { ...route, hops: [{ via: '192.0.2.2', weight: 257 }] },
      { ...route, hops: [{ via: '192.0.2.2 dev lo' }] },
      { ...route, hops: [{ via: '192.0.2.2', onlink: true }] },
      { ...route, via: '192.0.2.2', metric: -1 },
    ] as const) {
      await expect(here.change([bad])).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    }
  });
}
