import { expect, test } from 'vitest';
import { notification } from '../testing/fixtures.ts';
import { router } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { filled } from '../testing/world.ts';
import { NotificationIntake } from './notifications.ts';

test('notifications: a floating IP needs no question, a gateway does, both are measured from their commit', async () => {
  const { bus, mirror, agents } = await filled();
  const intake = new NotificationIntake({
    mirror,
    l3: agents.l3,
    changed: (keys, priority) => agents.changed(keys, priority),
  });
  await intake.listen(bus, 'neutron', ['notifications'], 'lab1');
  expect(bus.listeners[0]).toMatchObject({ exchange: 'neutron', topics: ['notifications.info'] });

  const own = 'ff91b487-f3f0-47ef-9af2-c5fe94ac92a3';
  bus.answer('sync_routers', () => [router(own)]);
  agents.l3.refresh([own]);
  await until('known', () => mirror.routers.has(own));
  const asked = bus.of('sync_routers').length;

  const associate = notification('floatingip.update.end');
  bus.notify(associate);
  expect(mirror.floatingIps.ofRouter(own)).toHaveLength(1);
  expect(mirror.since({ kind: 'router', id: own })).toBe(associate.timestamp);
  bus.notify(notification('floatingip.update.end--floatingip_disassociate'));
  expect(mirror.floatingIps.ofRouter(own)).toHaveLength(0);
  bus.notify(notification('router.update.end--router_routes_set'));
  expect(mirror.routers.get(own)?.routes).toHaveLength(1);
  // The last one says of a gateway that the mirror has no port of.
  await until('asked', () => bus.of('sync_routers').length > asked);
  bus.notify(notification('router.delete.end'));
  expect(mirror.routers.has(own)).toBe(false);
});
