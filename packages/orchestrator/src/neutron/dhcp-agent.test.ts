import { expect, test } from 'vitest';
import { cast } from '../testing/fixtures.ts';
import { network, port, router, routerPort, subnet } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { filled } from '../testing/world.ts';

test('recorded casts of a network: made, its port made and deleted, the network gone', async () => {
  const { bus, mirror } = await filled();
  const created = cast('dhcp.network_create_end').args;
  const fresh = (created.payload as { network: { id: string } }).network.id;
  bus.answer('get_network_info', () => network(fresh));
  bus.send('dhcp_agent', 'network_create_end', created);
  await until('known', () => mirror.networks.known(fresh));
  bus.send('dhcp_agent', 'port_update_end', cast('dhcp.port_update_end').args);
  const updated = (cast('dhcp.port_update_end').args.payload as { port: { id: string; fixed_ips: unknown } }).port;
  expect(mirror.networks.port(updated.id)?.fixed_ips).toEqual(updated.fixed_ips);
  bus.send('dhcp_agent', 'port_delete_end', { payload: { port_id: updated.id, network_id: fresh } });
  expect(mirror.networks.port(updated.id)).toBeUndefined();
  bus.send('dhcp_agent', 'network_delete_end', { payload: { network_id: fresh } });
  expect(mirror.networks.known(fresh)).toBe(false);
});

test('the ports of a network that only a router here is on are asked for', async () => {
  const { bus, mirror, agents } = await filled();
  const net = network('b9', [subnet('c9', 'b9', '10.9.0.0/24')], [port('p9', 'b9')]);
  bus.answer('get_network_info', () => net);
  bus.answer('sync_routers', () => [
    router('a9', { _interfaces: [routerPort('d9', 'b9', net.subnets, { c9: '10.9.0.1' })] }),
  ]);
  agents.l3.refresh(['a9']);
  await until('known', () => mirror.networks.get('b9')?.ports.length === 1);
  expect(mirror.networks.isScheduled('b9')).toBe(false);
});

test('a new network waits for its router, and is asked for at once when it has one', async () => {
  const { bus, mirror, agents } = await filled({ options: { newNetworkGrace: 60_000 } });
  const net = network('b9', [subnet('c9', 'b9', '10.9.0.0/24')], [port('p9', 'b9')]);
  bus.answer('get_network_info', () => net);
  bus.send('dhcp_agent', 'network_create_end', { payload: { network: { id: 'b9' }, priority: 0 } });
  await until('scheduled', () => mirror.networks.isScheduled('b9'));
  expect(agents.dhcp.role.stale).toBe(1);
  expect(mirror.networks.get('b9')).toBeUndefined();
  bus.answer('sync_routers', () => [
    router('a9', { _interfaces: [routerPort('d9', 'b9', net.subnets, { c9: '10.9.0.1' })] }),
  ]);
  agents.l3.refresh(['a9']);
  await until('known', () => mirror.networks.get('b9')?.ports.length === 1);
});
