import { config, network, subnet } from './configs.ts';
import { World } from './world.ts';

/**
 * out (198.51.100.1, 2001:db8:1::1) ── qg-x [router] qr-a ── a1 (10.1.0.10, fd01::10), a2 (10.1.0.11, fd01::11)
 *                                                    qr-b ── b1 (10.2.0.10, fd02::10)
 *                                                    mgt  ── m1 (192.0.2.10, fd0a::10)
 */
export const external = network('external', 'qg-x', ['198.51.100.2/24', '2001:db8:1::2/64'], {
  subnets: [subnet('198.51.100.0/24', '198.51.100.1')],
});
export const a = network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64'], {
  subnets: [subnet('10.1.0.0/24', '10.1.0.1'), subnet('fd01::/64', 'fd01::1', { nat: false })],
});
export const b = network('internal', 'qr-b', ['10.2.0.1/24', 'fd02::1/64'], {
  subnets: [subnet('10.2.0.0/24', '10.2.0.1'), subnet('fd02::/64', 'fd02::1', { nat: false })],
});
export const management = network('management', 'mgt', ['192.0.2.1/24', 'fd0a::1/64']);

let generation = 0;

/** The router's configuration, newer each time. */
export function routerConfig(more: Parameters<typeof config>[1] = {}) {
  generation += 1;
  return config([external, a, b, management], {
    default_v4_gateway: '198.51.100.1',
    default_v6_gateway: '2001:db8:1::1',
    generation,
    ...more,
  });
}

export async function routerWorld(): Promise<World> {
  const world = await World.create();
  for (const [bridge, ifname] of Object.entries({ ext: 'qg-x', neta: 'qr-a', netb: 'qr-b', netm: 'mgt' })) {
    await world.segment(bridge, ifname);
  }
  await world.host('out', 'ext', { addresses: ['198.51.100.1/24', '2001:db8:1::1/64'] });
  await world.host('a1', 'neta', { addresses: ['10.1.0.10/24', 'fd01::10/64'], gateway: '10.1.0.1' });
  await world.host('a2', 'neta', { addresses: ['10.1.0.11/24', 'fd01::11/64'], gateway: '10.1.0.1' });
  await world.host('b1', 'netb', { addresses: ['10.2.0.10/24', 'fd02::10/64'], gateway: '10.2.0.1' });
  await world.host('m1', 'netm', { addresses: ['192.0.2.10/24', 'fd0a::10/64'], gateway: '192.0.2.1' });
  const gateways = { a1: 'fd01::1', a2: 'fd01::1', b1: 'fd02::1', m1: 'fd0a::1' };
  await world.ip([
    ...Object.entries(gateways).map(([host, gateway]) => `-n ${world.name(host)} -6 route add default via ${gateway}`),
    // It would find the way in, if it were let.
    ...['10.0.0.0/8', '192.0.2.0/24'].map((to) => `-n ${world.name('out')} route add ${to} via 198.51.100.2`),
    `-n ${world.name('out')} -6 route add fd00::/8 via 2001:db8:1::2`,
  ]);
  return world;
}
