import { expect, test } from 'vitest';
import { cast, first, syncedRouters } from '../testing/fixtures.ts';
import { router } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { filled } from '../testing/world.ts';

const id = first(syncedRouters()).id;

test('thirty updates of one router while Neutron answers slowly are two questions', async () => {
  const { bus, agents } = await filled();
  const gate = Promise.withResolvers<void>();
  bus.answer('sync_routers', async () => {
    await gate.promise;
    return syncedRouters();
  });
  const before = bus.of('sync_routers').length;
  bus.send('l3_agent', 'router_added_to_agent', { payload: [id] });
  for (let i = 0; i < 30; i += 1) bus.send('l3_agent', 'routers_updated', { routers: [id] }, { timestamp: 1000 + i });
  gate.resolve();
  await until('idle', () => agents.l3.role.stale === 0);
  expect(bus.of('sync_routers').length - before).toBe(2);
  expect(bus.peak.get('sync_routers')).toBe(1);
});

test('router_added_to_agent is answered at once', async () => {
  const { bus } = await filled();
  bus.hang('sync_routers');
  const { args } = cast('l3.router_added_to_agent');
  expect(bus.send('l3_agent', 'router_added_to_agent', args)).toBeNull();
});

test('recorded casts: a router set down is missing in the answer, one removed or deleted is gone', async () => {
  const { bus, mirror, agents } = await filled();
  bus.answer('sync_routers', () => []);
  bus.send('l3_agent', 'routers_updated', { routers: [id] });
  await until('gone', () => !mirror.routers.has(id));
  bus.answer('sync_routers', () => syncedRouters());
  agents.l3.refresh([id]);
  await until('back', () => mirror.routers.has(id));
  bus.send('l3_agent', 'router_removed_from_agent', cast('l3.router_removed_from_agent').args);
  expect(mirror.routers.has(id)).toBe(false);
  agents.l3.refresh([id]);
  await until('back', () => mirror.routers.has(id));
  bus.send('l3_agent', 'router_deleted', { router_id: id });
  expect(mirror.routers.has(id)).toBe(false);
});

test('a server killed in the middle of a question costs the first timeout, not a minute', async () => {
  const { bus, mirror, agents } = await filled();
  bus.hang('sync_routers');
  const began = performance.now();
  bus.send('l3_agent', 'router_added_to_agent', { payload: ['a1'] });
  await until('asked', () => (bus.underway.get('sync_routers') ?? 0) === 1);
  bus.answer('sync_routers', () => [router('a1')]);
  await until('known', () => mirror.routers.has('a1'));
  expect(performance.now() - began).toBeLessThan(1000);
  expect(agents.l3.role.stale).toBe(0);
});
