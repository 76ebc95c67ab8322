import { LocalBus } from '@astara/messaging/local/bus.ts';
import { NotificationIntake } from '@astara/orchestrator/intake/notifications.ts';
import { NeutronAgents } from '@astara/orchestrator/neutron/agents.ts';
import { Mirror } from '@astara/orchestrator/neutron/mirror/mirror.ts';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startCloud } from '../cloud.ts';
import type { Json } from '../l3/rig.ts';
import { populate } from '../populate.ts';
import { until } from '../testing/until.ts';

const logger = pino({ level: 'silent' });

/** The real orchestrator's agents and this cloud, on one bus, and a client of the API. */
async function world(routers = 0) {
  const bus = new LocalBus();
  const server = bus.connect('cloud');
  const messaging = bus.connect('orchestrator');
  const cloud = await startCloud(
    {
      bindHost: '127.0.0.1',
      bindPort: 0,
      host: 'cloud1',
      accounts: [{ user: 'admin', password: 'secret', project: 'admin', role: 'admin' }],
      tokenLifetime: 3_600_000,
      plane: { kind: 'simulated' },
      log: logger,
    },
    { messaging: server },
  );
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
    logger,
  });
  onTestFinished(async () => {
    await agents.stop();
    await cloud.stop();
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
  return { cloud, mirror, agents, ask: await client(cloud.url) };
}

async function client(url: string): Promise<(method: string, path: string, body?: Json) => Promise<Json>> {
  const user = { name: 'admin', password: 'secret', domain: { id: 'default' } };
  const scope = { project: { name: 'admin', domain: { id: 'default' } } };
  const auth = { identity: { methods: ['password'], password: { user } }, scope };
  const headers = { 'content-type': 'application/json' };
  const login = await fetch(`${url}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ auth }),
  });
  const token = login.headers.get('x-subject-token');
  if (token === null) throw new Error(`no token: ${login.status} ${await login.text()}`);
  return async (method, path, body) => {
    const answer = await fetch(`${url}/v2.0/${path}`, {
      method,
      headers: { ...(body === undefined ? {} : headers), 'x-auth-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? {} : ((await answer.json()) as Json);
  };
}

test('the orchestrator sees what is made through the API, and what goes', async () => {
  const { ask, mirror, cloud } = await world();
  const make = async (plural: string, given: Json) => {
    const singular = plural.slice(0, -1);
    return (await ask('POST', plural, { [singular]: given }))[singular] as Json & { readonly id: string };
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
  const { cloud, mirror, agents, ask } = await world(300);
  await until(() => agents.l3.role.stale === 0 && agents.dhcp.role.stale === 0, 20_000);
  expect(mirror.routers.ids()).toHaveLength(300);
  for (const { id, name } of cloud.store.routers.all()) {
    const known = mirror.routers.get(id);
    expect([known?.name, known?._interfaces?.length, mirror.floatingIps.ofRouter(id).length]).toEqual([name, 1, 1]);
  }
  const [agent] = (await ask('GET', 'agents?agent_type=L3%20agent')).agents as Json[];
  expect(agent).toMatchObject({ host: 'host1', alive: true, binary: 'neutron-l3-agent' });
});
