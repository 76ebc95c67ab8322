import type { ResourceKey } from '@astara/model/instance.ts';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { NotificationIntake } from '../intake/notifications.ts';
import { Priority } from '../queue/priority.ts';
import { FakeMessaging } from '../testing/fake-messaging.ts';
import {
  activeNetworks,
  cast,
  dhcpPort,
  first,
  notification,
  reportState,
  syncedRouters,
} from '../testing/fixtures.ts';
import { floatingIp, network, port, router, routerPort, subnet } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { NeutronAgents, type NeutronAgentsOptions } from './agents.ts';
import { dhcpDeviceId } from './device-id.ts';
import { Mirror } from './mirror/mirror.ts';
import { portText } from './mirror/relevant.ts';

const running: NeutronAgents[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((agents) => agents.stop()));
});

interface World {
  readonly bus: FakeMessaging;
  readonly mirror: Mirror;
  readonly agents: NeutronAgents;
  readonly queue: { key: ResourceKey; priority: Priority }[];
}

/** Both agents on a bus whose Neutron has the recorded routers and networks, unless the test says otherwise. */
function world(options: Partial<NeutronAgentsOptions> = {}): World {
  const bus = new FakeMessaging();
  const mirror = new Mirror();
  const queue: World['queue'] = [];
  bus.answer('report_state', () => 'alive');
  bus.answer('get_router_ids', () => syncedRouters().map(({ id }) => id));
  bus.answer('sync_routers', ({ router_ids }) =>
    syncedRouters().filter(({ id }) => (router_ids as string[]).includes(id)),
  );
  bus.answer('get_active_networks_info', () => activeNetworks());
  bus.answer('get_network_info', ({ network_id }) => activeNetworks().find(({ id }) => id === network_id) ?? null);
  for (const method of ['update_floatingip_statuses', 'dhcp_ready_on_ports', 'release_dhcp_port'])
    bus.answer(method, () => null);
  const agents = new NeutronAgents({
    messaging: bus,
    host: 'lab1',
    availabilityZone: 'nova',
    mirror,
    roles: { l3: true, dhcp: true },
    needsPort: () => false,
    enqueue: (key, priority) => void queue.push({ key, priority }),
    logger: pino({ level: 'silent' }),
    ...options,
    options: { firstTimeout: 150, retry: { base: 5, cap: 20 }, ...options.options },
  });
  running.push(agents);
  return { bus, mirror, agents, queue };
}

async function filled(options: Partial<NeutronAgentsOptions> = {}): Promise<World> {
  const made = world(options);
  await made.agents.start();
  await until('filled', () => made.mirror.filled && made.agents.l3.stale === 0 && made.agents.dhcp.stale === 0);
  return made;
}

const id = first(syncedRouters()).id;

test('the start: reported before listed, everything in the mirror, every key in the queue, true counts', async () => {
  const { bus, mirror, agents, queue } = await filled();
  const order = bus.calls.map((call) => call.method);
  expect(order.indexOf('get_active_networks_info')).toBeGreaterThan(order.indexOf('report_state'));
  expect(mirror.routers.ids()).toEqual([id]);
  expect(mirror.networks.scheduled()).toHaveLength(activeNetworks().length);
  expect(queue.map(({ key }) => key)).toContainEqual({ kind: 'router', id });
  expect(agents.l3.state().configurations).toMatchObject({
    routers: 1,
    ex_gw_ports: 1,
    interfaces: 3,
    floating_ips: 2,
  });
  expect(agents.dhcp.state().configurations).toMatchObject({ networks: 5 });
  expect(bus.of('get_active_networks_info')[0]?.args).toEqual({ host: 'lab1', enable_dhcp_filter: false });
});

test('a report has the very shape that stock agents send', async () => {
  const { bus } = await filled();
  for (const agent of ['l3', 'dhcp'] as const) {
    const topic = `${agent}_agent`;
    const ours = bus.of('report_state').find((call) => JSON.stringify(call.args).includes(`"topic":"${topic}"`));
    expect(shape(ours?.args)).toEqual(shape(reportState(agent)));
    expect(ours?.target).toEqual({ topic: 'q-reports-plugin', version: '1.2' });
  }
  expect(JSON.stringify(bus.of('report_state'))).toContain('"start_flag":true');
});

test('a list that fails is asked for until it comes; nothing is decided before', async () => {
  const made = world();
  let failures = 3;
  made.bus.answer('get_router_ids', () => {
    if (failures-- > 0) throw new Error('not yet');
    return [id];
  });
  await made.agents.start();
  await until('networks', () => made.mirror.dhcp.filled);
  expect(made.mirror.l3.filled && failures >= 0).toBe(false);
  await until('filled', () => made.mirror.filled);
});

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
  await until('idle', () => agents.l3.stale === 0);
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

test('set down and up again: all resources are concerned, and everything is listed anew', async () => {
  const { bus, mirror, queue } = await filled();
  queue.length = 0;
  bus.send('l3_agent', 'agent_updated', { payload: { admin_state_up: false } });
  expect(mirror.l3.up).toBe(false);
  expect(queue).toContainEqual({ key: { kind: 'router', id }, priority: Priority.user });
  const before = bus.of('get_router_ids').length;
  bus.send('l3_agent', 'agent_updated', { payload: { admin_state_up: true } });
  await until('listed', () => bus.of('get_router_ids').length > before);
});

test('an agent that Neutron calls revived, or that reconnects, lists everything anew', async () => {
  const { bus } = await filled({ options: { reportInterval: 20 } });
  let answer = 'revived';
  bus.answer('report_state', () => {
    const now = answer;
    answer = 'alive';
    return now;
  });
  const before = bus.of('get_router_ids').length;
  await until('listed', () => bus.of('get_router_ids').length > before);
  const then = [bus.of('get_router_ids').length, bus.of('get_active_networks_info').length];
  bus.disconnect();
  bus.reconnect();
  await until('listed again', () => bus.of('get_router_ids').length > (then[0] ?? 0));
  await until('networks too', () => bus.of('get_active_networks_info').length > (then[1] ?? 0));
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
  expect(agents.l3.stale).toBe(0);
});

test('floating IPs: only what differs is told, and DOWN when it is removed', async () => {
  const { bus, agents, mirror } = await filled();
  const [down, active] = mirror.floatingIps.ofRouter(id);
  agents.l3.floatingIps.applied(id, [down?.id ?? '', active?.id ?? '']);
  await until('told', () => agents.l3.floatingIps.idle);
  expect(bus.of('update_floatingip_statuses').map((call) => call.args)).toEqual([
    { router_id: id, fip_statuses: { [down?.id ?? '']: 'ACTIVE' } },
  ]);
  agents.l3.floatingIps.applied(id, [down?.id ?? '', active?.id ?? '']);
  expect(agents.l3.floatingIps.idle).toBe(true);
  mirror.patchFloatingIp(floatingIp(down?.id ?? '', null, { revision_number: 99, status: 'ACTIVE' }));
  agents.l3.floatingIps.applied(id, [active?.id ?? '']);
  await until('told', () => agents.l3.floatingIps.idle);
  expect(bus.of('update_floatingip_statuses').at(-1)?.args).toEqual({
    router_id: id,
    fip_statuses: { [down?.id ?? '']: 'DOWN' },
  });
});

test('floating IPs: one that has moved to another router is not called DOWN, and reports are retried', async () => {
  const { bus, agents, mirror } = await filled();
  const [fip] = mirror.floatingIps.ofRouter(id);
  agents.l3.floatingIps.applied(id, [fip?.id ?? '']);
  await until('told', () => agents.l3.floatingIps.idle);
  const before = bus.of('update_floatingip_statuses').length;
  mirror.patchFloatingIp(floatingIp(fip?.id ?? '', 'elsewhere', { revision_number: 99 }));
  agents.l3.floatingIps.applied(id, []);
  expect(agents.l3.floatingIps.idle).toBe(true);
  expect(bus.of('update_floatingip_statuses').length).toBe(before);

  let failures = 2;
  bus.answer('update_floatingip_statuses', () => {
    if (failures-- > 0) throw new Error('database is away');
    return null;
  });
  mirror.patchFloatingIp(floatingIp('f9', id));
  agents.l3.floatingIps.applied(id, ['f9']);
  await until('told', () => failures < 0 && agents.l3.floatingIps.idle);
});

test('ports are ready once what the mirror says of them is in force, once per event, in one call', async () => {
  const { bus, agents, mirror } = await filled();
  const [a, b] = [port('p1', 'b1', { fixed_ips: [] }), port('p2', 'b1')];
  mirror.scheduleNetwork('b1');
  mirror.ingestNetwork('b1', network('b1'), mirror.stamp());
  bus.send('dhcp_agent', 'port_create_end', { payload: { port: a } });
  bus.send('dhcp_agent', 'port_create_end', { payload: { port: b } });
  const served = (...ports: (typeof a)[]) => new Map([['b1', new Map(ports.map((one) => [one.id, portText(one)]))]]);
  agents.dhcp.ready.applied('a1', served({ ...a, mac_address: 'fa:16:3e:99:99:99' }));
  expect(agents.dhcp.ready.idle).toBe(true);
  agents.dhcp.ready.applied('a1', served(a, b));
  await until('told', () => agents.dhcp.ready.idle);
  expect(bus.of('dhcp_ready_on_ports').map((call) => call.args)).toEqual([{ port_ids: ['p1', 'p2'] }]);
  agents.dhcp.ready.applied('a1', served(a, b));
  expect(agents.dhcp.ready.idle).toBe(true);
  // Bound anew: the configuration is the same, Neutron waits all the same.
  bus.send('dhcp_agent', 'port_update_end', { payload: { port: { ...a, revision_number: 5 } } });
  await until('told again', () => agents.dhcp.ready.idle && bus.of('dhcp_ready_on_ports').length === 2);
});

test('a port that is bound to no host waits until it is', async () => {
  const { bus, agents, mirror } = await filled();
  mirror.scheduleNetwork('b1');
  mirror.ingestNetwork('b1', network('b1'), mirror.stamp());
  const unbound = port('p1', 'b1', { 'binding:host_id': '' });
  bus.send('dhcp_agent', 'port_create_end', { payload: { port: unbound } });
  agents.dhcp.ready.applied('a1', new Map([['b1', new Map([['p1', portText(unbound)]])]]));
  expect(agents.dhcp.ready.idle).toBe(true);
  bus.send('dhcp_agent', 'port_update_end', { payload: { port: port('p1', 'b1', { revision_number: 2 }) } });
  await until('told', () => bus.of('dhcp_ready_on_ports').length === 1);
});

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

test('a network with an instance of its own gets a DHCP port, by the very request of the stock agent', async () => {
  const net = first(activeNetworks()).id;
  const made = world({ needsPort: (networkId) => networkId === net });
  made.bus.answer('create_dhcp_port', () => dhcpPort());
  await made.agents.start();
  await until('port', () => made.mirror.networks.port(dhcpPort().id) !== undefined);
  const { args } = first(made.bus.of('create_dhcp_port'));
  expect(args).toMatchObject({
    host: 'lab1',
    port: { port: { device_id: dhcpDeviceId('lab1', net), network_id: net, name: '', admin_state_up: true } },
  });
  expect(dhcpPort().device_id).toBe(dhcpDeviceId('lab1', net));
  expect(made.queue.at(-1)).toEqual({ key: { kind: 'network', id: net }, priority: Priority.user });
  await until('idle', () => made.agents.dhcp.ports.idle);
  expect(made.bus.of('create_dhcp_port')).toHaveLength(1);
});

test('a DHCP port that Neutron reserved is taken over; one with too few subnets is mended; a needless one is given back', async () => {
  const subnets = [subnet('c1', 'b1', '10.0.0.0/24'), subnet('c2', 'b1', '10.0.1.0/24')];
  const reserved = port('p1', 'b1', {
    device_id: 'reserved_dhcp_port',
    device_owner: 'network:dhcp',
    fixed_ips: [{ subnet_id: 'c1', ip_address: '10.0.0.2' }],
  });
  let needed = true;
  const made = world({ needsPort: (networkId) => networkId === 'b1' && needed });
  made.bus.answer('get_active_networks_info', () => [network('b1', subnets, [reserved])]);
  made.bus.answer('update_dhcp_port', ({ port: asked }) => ({
    ...reserved,
    ...(asked as { port: object }).port,
    revision_number: 3,
  }));
  await made.agents.start();
  await until('mended', () => made.mirror.networks.port('p1')?.device_id === dhcpDeviceId('lab1', 'b1'));
  expect(first(made.bus.of('update_dhcp_port')).args).toMatchObject({
    port_id: 'p1',
    port: { port: { fixed_ips: [{ subnet_id: 'c1', ip_address: '10.0.0.2' }, { subnet_id: 'c2' }] } },
  });
  needed = false;
  made.agents.dhcp.ports.check(['b1']);
  await until('given back', () => made.bus.of('release_dhcp_port').length === 1, 8000);
  expect(made.mirror.networks.port('p1')).toBeUndefined();
});

test('a network without a client waits a moment for a router before it takes an address; with one it does not', async () => {
  const subnets = [subnet('c1', 'b1', '10.0.0.0/24')];
  const made = world({ needsPort: () => true });
  made.bus.answer('get_active_networks_info', () => [network('b1', subnets)]);
  made.bus.answer('create_dhcp_port', () =>
    port('p1', 'b1', { device_owner: 'network:dhcp', device_id: dhcpDeviceId('lab1', 'b1') }),
  );
  await made.agents.start();
  await until('filled', () => made.mirror.filled);
  expect(made.bus.of('create_dhcp_port')).toHaveLength(0);
  made.bus.send('dhcp_agent', 'port_create_end', { payload: { port: port('vm1', 'b1') } });
  await until('made', () => made.bus.of('create_dhcp_port').length === 1, 1000);
});

test('a Neutron that was away for a while may have changes that it told nobody of', async () => {
  const { bus, agents } = await filled();
  bus.answer('report_state', () => {
    throw new Error('away');
  });
  bus.hang('sync_routers');
  agents.l3.refresh([id]);
  const reports = bus.of('report_state').length;
  await until('noticed', () => bus.of('report_state').length > reports + 1);
  bus.answer('sync_routers', () => syncedRouters());
  bus.answer('report_state', () => 'alive');
  const before = bus.of('get_router_ids').length;
  await until('listed', () => bus.of('get_router_ids').length > before);
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

/** The keys and the types of the values, without the values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
}
