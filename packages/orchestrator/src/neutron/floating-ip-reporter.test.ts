import { expect, test } from 'vitest';
import { first, syncedRouters } from '../testing/fixtures.ts';
import { floatingIp } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { filled } from '../testing/world.ts';

const id = first(syncedRouters()).id;

test('floating IPs: only what differs is told, and DOWN when it is removed', async () => {
  const { bus, agents, mirror } = await filled();
  const [down, active] = mirror.floatingIps.ofRouter(id);
  agents.l3.floatingIps.applied(id, [down?.id ?? '', active?.id ?? ''], false);
  await until('told', () => agents.l3.floatingIps.idle);
  expect(bus.of('update_floatingip_statuses').map((call) => call.args)).toEqual([
    { router_id: id, fip_statuses: { [down?.id ?? '']: 'ACTIVE' } },
  ]);
  agents.l3.floatingIps.applied(id, [down?.id ?? '', active?.id ?? ''], false);
  expect(agents.l3.floatingIps.idle).toBe(true);
  mirror.patchFloatingIp(floatingIp(down?.id ?? '', null, { revision_number: 99, status: 'ACTIVE' }));
  agents.l3.floatingIps.applied(id, [active?.id ?? ''], false);
  await until('told', () => agents.l3.floatingIps.idle);
  expect(bus.of('update_floatingip_statuses').at(-1)?.args).toEqual({
    router_id: id,
    fip_statuses: { [down?.id ?? '']: 'DOWN' },
  });
});

test('floating IPs: one that has moved to another router is not called DOWN, and reports are retried', async () => {
  const { bus, agents, mirror } = await filled();
  const [fip] = mirror.floatingIps.ofRouter(id);
  agents.l3.floatingIps.applied(id, [fip?.id ?? ''], false);
  await until('told', () => agents.l3.floatingIps.idle);
  const before = bus.of('update_floatingip_statuses').length;
  mirror.patchFloatingIp(floatingIp(fip?.id ?? '', 'elsewhere', { revision_number: 99 }));
  agents.l3.floatingIps.applied(id, [], false);
  expect(agents.l3.floatingIps.idle).toBe(true);
  expect(bus.of('update_floatingip_statuses').length).toBe(before);

  let failures = 2;
  bus.answer('update_floatingip_statuses', () => {
    if (failures-- > 0) throw new Error('database is away');
    return null;
  });
  mirror.patchFloatingIp(floatingIp('f9', id));
  agents.l3.floatingIps.applied(id, ['f9'], false);
  await until('told', () => failures < 0 && agents.l3.floatingIps.idle);
});
