import { expect, test } from 'vitest';
import { Priority } from '../queue/priority.ts';
import { activeNetworks, first, reportState, syncedRouters } from '../testing/fixtures.ts';
import { until } from '../testing/until.ts';
import { filled, world } from '../testing/world.ts';

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

test('the intervals may change while it runs', async () => {
  const hour = 3_600_000;
  const { bus, agents } = await filled({ options: { reportInterval: hour, resyncInterval: hour } });
  const reports = bus.of('report_state').length;
  const lists = bus.of('get_router_ids').length;
  agents.configure({ reportInterval: 20, resyncInterval: hour });
  await until('reported again and again', () => bus.of('report_state').length > reports + 8);
  expect(bus.of('get_router_ids').length).toBe(lists);
  agents.configure({ reportInterval: hour, resyncInterval: 20 });
  await until('listed again and again', () => bus.of('get_router_ids').length > lists + 3);
  const after = bus.of('report_state').length;
  const then = bus.of('get_router_ids').length;
  await until('listed on', () => bus.of('get_router_ids').length > then + 5);
  expect(bus.of('report_state').length).toBe(after);
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

/** The keys and the types of the values, without the values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
}
