import { LocalBus } from '@astara/messaging/local/bus.ts';
import { NotificationIntake } from '@astara/orchestrator/intake/notifications.ts';
import { NeutronAgents } from '@astara/orchestrator/neutron/agents.ts';
import { Mirror } from '@astara/orchestrator/neutron/mirror/mirror.ts';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { populate } from '../populate.ts';
import { TestCloud } from '../testing/cloud.ts';
import type { Json } from '../testing/rig.ts';
import { until } from '../testing/until.ts';

/** The real orchestrator's agents and this cloud, on one bus, and a client of the API. */
async function world(routers = 0) {
  const bus = new LocalBus();
  const server = bus.connect('cloud');
  const messaging = bus.connect('orchestrator');
  const api = await TestCloud.start({ messaging: server });
  const { cloud } = api;
  if (routers > 0) populate(cloud.store, { routers });
  const mirror = new Mirror();
  const agents = new NeutronAgents({
    messaging,
    host: 'host1',
    availabilityZone: 'nova',
    mirror,
    roles: { l3: true, dhcp: true },
    needsPort: () => false,
    enqueue: () => undefined,
    logger: pino({ level: 'silent' }),
  });
  onTestFinished(async () => {
    await agents.stop();
    await api.stop();
    await messaging.close();
    await server.close();
  });
  const intake = new NotificationIntake({
    mirror,
    l3: agents.l3,
    changed: (keys, priority) => agents.changed(keys, priority),
  });
  await intake.listen(messaging, 'neutron', ['notifications'], 'host1');
  await agents.start();
  await until(() => mirror.filled, 20_000);
  return { cloud, mirror, agents, api };
}

test('the orchestrator sees what is made through the API, and what goes', async () => {
  const { api, mirror, cloud } = await world();
  const make = (plural: string, given: Json) => api.make(plural, plural.slice(0, -1), given);
  const ask = async (method: string, path: string, body?: Json) => {
    expect((await api.ask(method, path, body)).status, path).toBeLessThan(300);
  };
  const external = await make('networks', { 'router:external': true });
  await make('subnets', { network_id: external.id, cidr: '203.0.113.0/24', ip_version: 4, enable_dhcp: false });
  const inside = await make('networks', { name: 'inside' });
  const subnet = await make('subnets', { network_id: inside.id, cidr: '10.0.0.0/24', ip_version: 4 });
  const router = await make('routers', { external_gateway_info: { network_id: external.id } });
  await ask('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  await until(() => (mirror.routers.get(router.id)?._interfaces ?? []).length === 1);
  expect(mirror.routers.get(router.id)?.gw_port?.fixed_ips[0]?.ip_address).toMatch(/^203\.0\.113\./);
  for (const port of cloud.store.ports.by('device', router.id)) expect(port.host_id).toBe('host1');

  const port = await make('ports', { network_id: inside.id });
  const floatingIp = await make('floatingips', { floating_network_id: external.id, port_id: port.id });
  await until(() => mirror.floatingIps.ofRouter(router.id).some(({ id }) => id === floatingIp.id));
  await until(() => mirror.networks.get(inside.id)?.ports.some(({ id }) => id === port.id));

  await ask('DELETE', `ports/${port.id}`);
  await until(() => mirror.floatingIps.ofRouter(router.id).length === 0);
  await until(() => !mirror.networks.get(inside.id)?.ports.some(({ id }) => id === port.id));
  await ask('PUT', `routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
  await until(() => (mirror.routers.get(router.id)?._interfaces ?? []).length === 0);
  await ask('DELETE', `routers/${router.id}`);
  await until(() => mirror.routers.get(router.id) === undefined);
});

test('what was there before the orchestrator came is claimed and known', async () => {
  const { cloud, mirror, agents, api } = await world(300);
  await until(() => agents.l3.role.stale === 0 && agents.dhcp.role.stale === 0, 20_000);
  expect(mirror.routers.ids()).toHaveLength(300);
  for (const { id, name } of cloud.store.routers.all()) {
    const known = mirror.routers.get(id);
    expect([known?.name, known?._interfaces?.length, mirror.floatingIps.ofRouter(id).length]).toEqual([name, 1, 1]);
  }
  const [agent] = (await api.ask('GET', 'agents?agent_type=L3%20agent')).body.agents;
  expect(agent).toMatchObject({ host: 'host1', alive: true, binary: 'neutron-l3-agent' });
});
