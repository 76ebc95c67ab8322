import type { SyncedRouter } from '@astara/openstack/neutron-types.ts';
import { expect, test } from 'vitest';
import { floatingIp, network, port, router, routerPort, subnet } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { type World, world } from '../testing/world.ts';
import { portText } from './mirror/relevant.ts';

/** What is told to Neutron and asked of it beside the lists, and when. */

const subnets = [subnet('c1', 'b1', '10.0.0.0/24')];
const others = [subnet('c9', 'b9', '10.9.0.0/24')];
const waiting = [port('p1', 'b1'), port('p2', 'b1')];

/** Two pages of routers; the first has a floating IP, and an interface on a network that the DHCP agent here does not serve. */
const routers: readonly SyncedRouter[] = [
  router('r0', {
    _interfaces: [routerPort('d9', 'b9', others, { c9: '10.9.0.1' })],
    _floatingips: [floatingIp('f1', 'r0')],
  }),
  ...Array.from({ length: 8 }, (_, i) => router(`r${i + 1}`)),
];

const chores = ['update_floatingip_statuses', 'dhcp_ready_on_ports', 'get_network_info', 'release_dhcp_port'] as const;
const made = ({ bus }: World) => chores.map((method) => bus.of(method).length);

/** Both agents of a host with these routers; the second page is answered when `second` resolves. */
function busy(second: Promise<void>, options: Parameters<typeof world>[0] = {}): World {
  const one = world(options);
  one.bus.answer('get_router_ids', () => routers.map(({ id }) => id));
  one.bus.answer('sync_routers', async ({ router_ids }) => {
    const asked = routers.filter(({ id }) => (router_ids as string[]).includes(id));
    if (asked.some(({ id }) => id === 'r8')) await second;
    return asked;
  });
  one.bus.answer('get_active_networks_info', () => [network('b1', subnets, waiting)]);
  one.bus.answer('get_network_info', () => network('b9', others));
  return one;
}

/** The first router and the DHCP of network b1 are in force. */
function serve({ agents }: World, urgent: boolean, ports = waiting, fips = ['f1']): void {
  agents.l3.floatingIps.applied('r0', fips, urgent);
  agents.dhcp.ready.applied('r0', new Map([['b1', new Map(ports.map((one) => [one.id, portText(one)]))]]));
}

test('at the start what nobody waits for comes after both lists', async () => {
  const second = Promise.withResolvers<void>();
  const one = busy(second.promise, { options: { firstTimeout: 5_000 } });
  await one.agents.start();
  await until('the first page', () => one.mirror.dhcp.filled && one.mirror.routers.has('r0'));
  await until('the second asked', () => one.bus.of('sync_routers').length === 2);
  serve(one, false);

  // A user's port and floating IP overtake.
  const [, p2] = waiting;
  one.bus.send('dhcp_agent', 'port_update_end', { payload: { port: { ...p2, revision_number: 2 } } });
  await until('the port told', () => one.bus.of('dhcp_ready_on_ports').length === 1);
  expect(one.bus.of('dhcp_ready_on_ports')[0]?.args).toEqual({ port_ids: ['p2'] });
  expect(made(one)).toEqual([0, 1, 0, 0]);
  one.mirror.patchFloatingIp(floatingIp('f2', 'r0'), 1000);
  serve(one, true, waiting, ['f1', 'f2']);
  await until('the floating IP told', () => one.bus.of('update_floatingip_statuses').length === 1);
  expect(made(one)).toEqual([1, 1, 0, 0]);

  // A router applied because of the start waits on.
  one.agents.l3.floatingIps.applied('r1', [], false);
  second.resolve();
  await until('all told', () => made(one).join() === '2,2,1,0');
  expect(one.mirror.filled).toBe(true);
  expect(one.bus.of('dhcp_ready_on_ports')[1]?.args).toEqual({ port_ids: ['p1'] });
  expect(one.bus.of('update_floatingip_statuses')[1]?.args).toEqual({ router_id: 'r1', fip_statuses: {} });
});

test('a Neutron that never lists the routers hears of the ports all the same', async () => {
  const one = busy(new Promise(() => undefined), { options: { choreDelay: 100, firstTimeout: 5_000 } });
  await one.agents.start();
  await until('the first page', () => one.mirror.dhcp.filled && one.mirror.routers.has('r0'));
  serve(one, false);
  await until('told', () => made(one).join() === '1,1,1,0');
  expect(one.mirror.filled).toBe(false);
});

test('after a reconnection too everything is listed first', async () => {
  const second = Promise.withResolvers<void>();
  const one = busy(Promise.resolve(), { options: { firstTimeout: 5_000 } });
  await one.agents.start();
  await until('in sync', () => one.mirror.filled);
  await until('all asked', () => one.agents.l3.role.stale + one.agents.dhcp.role.stale === 0);
  const before = one.bus.of('sync_routers').length;
  one.bus.answer('sync_routers', async () => {
    await second.promise;
    return routers;
  });
  one.bus.disconnect();
  one.bus.reconnect();
  await until('asked', () => one.bus.of('sync_routers').length > before);
  one.agents.l3.floatingIps.applied('r1', [], false);
  one.agents.l3.floatingIps.applied('r2', [], true);
  await until('what a user waits for told', () => one.bus.of('update_floatingip_statuses').length === 1);
  expect(one.bus.of('update_floatingip_statuses')[0]?.args).toMatchObject({ router_id: 'r2' });
  second.resolve();
  await until('the rest told', () => one.bus.of('update_floatingip_statuses').length === 2);
  expect(one.bus.of('update_floatingip_statuses')[1]?.args).toMatchObject({ router_id: 'r1' });
});
