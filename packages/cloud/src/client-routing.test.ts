import { LocalBus } from '@astara/messaging/local/bus.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud } from './testing/cloud.ts';
import { hasOpenstack, OpenstackClient } from './testing/openstack.ts';
import { until } from './testing/until.ts';

/** The commands of the README, as a person types them; what counts is what the cloud then has. */

const bus = new LocalBus();
const messaging = bus.connect('cloud');
const agent = bus.connect('agent');
let cloud: TestCloud;
let client: OpenstackClient;

beforeAll(async () => {
  cloud = await TestCloud.start({ messaging });
  client = new OpenstackClient(cloud, ['admin', 'demo']);
  await agent.serve({
    topic: 'l3_agent',
    host: 'node1',
    version: '1.5',
    handlers: {
      routers_updated: () => null,
      router_added_to_agent: () => null,
      router_removed_from_agent: () => null,
    },
  });
  const state = { agent_type: 'L3 agent', binary: 'astara', topic: 'l3_agent', host: 'node1' };
  const target = { topic: 'q-reports-plugin', version: '1.2' };
  const args = { agent_state: { agent_state: { ...state, availability_zone: 'nova' } } };
  await agent.call(target, 'report_state', args, { timeout: 10_000 });
});
afterAll(async () => {
  await client.close();
  await cloud.stop();
  await Promise.all([messaging.close(), agent.close()]);
});

describe.skipIf(!hasOpenstack)('the openstack client', { timeout: 120_000 }, () => {
  const only = <T>(rows: readonly T[]): T => {
    const [row, ...more] = rows;
    if (row === undefined || more.length > 0) throw new Error(`not one, but ${rows.length}`);
    return row;
  };
  const run = (command: string, user = 'demo') => client.run(command, user);

  test('a network, its router and its way out', async () => {
    const { store } = cloud.cloud;
    await Promise.all([run('network create --external ext', 'admin'), run('network create blue')]);
    await Promise.all([
      run('subnet create --network ext --subnet-range 203.0.113.0/24 --no-dhcp ext', 'admin'),
      run('subnet create --network blue --subnet-range 10.91.0.0/24 blue'),
      run('router create r1'),
    ]);
    await run('router add subnet r1 blue');
    const [subnet] = store.subnets.all().filter(({ name }) => name === 'blue');
    const router = () => only(store.routers.all());
    expect(store.ports.by('device', router().id)).toMatchObject([
      { device_owner: 'network:router_interface', fixed_ips: [{ subnet_id: subnet?.id, ip_address: '10.91.0.1' }] },
    ]);
    await run('router set --external-gateway ext r1');
    expect(store.ports.get(router().gw_port_id ?? '')?.device_owner).toBe('network:router_gateway');
    await run('router set --route destination=172.16.0.0/24,gateway=10.91.0.9 r1');
    expect(router().routes).toEqual([{ destination: '172.16.0.0/24', nexthop: '10.91.0.9' }]);
    await run('router set --disable r1');
    expect(router().admin_state_up).toBe(false);
    await run('router set --enable r1');
    expect(await client.json('router show r1', 'demo')).toMatchObject({ name: 'r1', admin_state_up: true });
    expect(await client.json('port list --router r1', 'demo')).toHaveLength(1);
  });

  test('a server, and a floating IP that comes and goes', async () => {
    const { store } = cloud.cloud;
    await run('server create --flavor tiny --image cirros --network blue web');
    const server = () => only(store.servers.all());
    await until(() => server().status === 'ACTIVE');
    expect(await client.json('server list', 'demo')).toMatchObject([{ Name: 'web', Status: 'ACTIVE' }]);
    const port = only(server().ports).id;
    await run('floating ip create ext');
    const floating = () => only(store.floatingIps.all());
    const address = floating().floating_ip_address;
    await run(`floating ip set --port ${port} ${address}`);
    expect(floating()).toMatchObject({ port_id: port, router_id: only(store.routers.all()).id });
    expect(await client.json('floating ip list', 'demo')).toMatchObject([
      { 'Floating IP Address': address, Port: port },
    ]);
    await run(`floating ip unset --port ${address}`);
    expect(floating()).toMatchObject({ port_id: null, router_id: null });
    await run(`floating ip delete ${address}`);
    expect(store.floatingIps.all()).toEqual([]);
    await run('security group rule create --protocol tcp --dst-port 80 default');
    expect(store.securityGroupRules.all()).toContainEqual(
      expect.objectContaining({ protocol: 'tcp', port_range_min: 80, port_range_max: 80 }),
    );
  });

  test('a router taken from its agent, and given back', async () => {
    const { store } = cloud.cloud;
    const { id } = only(store.agents.all());
    expect(only(store.routers.all()).agent_id).toBe(id);
    await run(`network agent remove router --l3 ${id} r1`, 'admin');
    expect(only(store.routers.all()).agent_id).toBeNull();
    await run(`network agent add router --l3 ${id} r1`, 'admin');
    expect(only(store.routers.all()).agent_id).toBe(id);
    expect(await client.json(`router list --agent ${id}`, 'admin')).toMatchObject([{ Name: 'r1' }]);
  });
});
