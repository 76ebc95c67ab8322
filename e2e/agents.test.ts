import { afterAll, expect, test } from 'vitest';
import { configured, instanceOf, instances } from './lib/astara.ts';
import * as lab from './lib/lab.ts';
import { Scene } from './lib/scene.ts';
import { leased, routed } from './lib/topology.ts';
import { waitFor } from './lib/wait.ts';

/** What only `openstack network agent …` does: an agent's switch and what is scheduled to it. */

async function l3Agent(scene: Scene): Promise<string> {
  const agent = await scene.cloud.agent('L3 agent');
  if (agent === undefined) throw new Error('no L3 agent');
  return agent.id;
}

afterAll(async () => {
  await using scene = new Scene('agentsend');
  await scene.cloud.cli('network', 'agent', 'set', '--enable', await l3Agent(scene));
});

/** What is on this host, counted in Neutron's own objects. */
async function trueCounts({ cloud }: Scene): Promise<Record<string, number>> {
  const ports = await cloud.list('port', { 'binding:host_id': lab.LAB_HOST });
  const routers = (await instances()).filter(({ resource }) => resource.kind === 'router');
  const served = new Set(routers.map(({ resource }) => resource.id));
  const owned = (owner: string) =>
    ports.filter(({ device_owner, device_id }) => device_owner === owner && served.has(device_id));
  return {
    routers: served.size,
    ex_gw_ports: owned('network:router_gateway').length,
    interfaces: owned('network:router_interface').length,
    floating_ips: (await cloud.list('floatingip')).filter(
      ({ router_id }) => router_id !== null && served.has(router_id),
    ).length,
  };
}

test('Neutron sees both agents alive, with true counts', async () => {
  await using scene = new Scene('agents');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.21.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  await scene.cloud.createFloatingIp({ port_id: vm.port.id });
  await configured(router.id);
  const listed = await scene.cloud.cli('network', 'agent', 'list', '-f', 'value', '-c', 'Agent Type', '-c', 'Alive');
  expect(listed).toContain('L3 agent True');
  expect(listed).toContain('DHCP agent True');
  const expected = await trueCounts(scene);
  expect(expected.floating_ips).toBeGreaterThan(0);
  // Counts travel with the next heartbeat, every 30 s.
  const reported = async () => {
    const counts = (await scene.cloud.agent('L3 agent'))?.configurations as Record<string, number>;
    const wrong = Object.keys(expected).filter((key) => counts[key] !== expected[key]);
    if (wrong.length > 0)
      throw new Error(`${wrong.join(', ')} of ${JSON.stringify(counts)}, not ${JSON.stringify(expected)}`);
    return true;
  };
  await waitFor('true counts', reported, { timeout: 45_000, interval: 1_000 });
});

test('a router taken from the agent stops here; given back, it works again', async () => {
  await using scene = new Scene('reschedule');
  const agent = await l3Agent(scene);
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.22.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  await scene.cloud.cli('network', 'agent', 'remove', 'router', '--l3', agent, router.id);
  await waitFor('the router to be gone', async () => (await instanceOf(router.id)) === undefined);
  await scene.cloud.cli('network', 'agent', 'add', 'router', '--l3', agent, router.id);
  await configured(router.id);
  await vm.reaches('10.22.0.1');
});

test('an agent set down serves nothing; set up, everything again', async () => {
  await using scene = new Scene('agentdown');
  const agent = await l3Agent(scene);
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.23.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  await scene.cloud.cli('network', 'agent', 'set', '--disable', agent);
  await waitFor('the router to be gone', async () => (await instanceOf(router.id)) === undefined);
  await scene.cloud.cli('network', 'agent', 'set', '--enable', agent);
  await configured(router.id);
  await vm.reaches('10.23.0.1');
});

test('an agent that Neutron took for dead revives and catches up with what it missed', async () => {
  await using scene = new Scene('revive');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.24.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  await lab.pause('astara-orchestrator');
  try {
    const dead = async () => (await scene.cloud.agent('L3 agent'))?.alive === false;
    await waitFor('Neutron to give the agent up', dead, { timeout: 110_000, interval: 1_000 });
    await scene.cloud.setRoutes(router, [{ destination: '172.29.0.0/24', nexthop: '10.24.0.99' }]);
    expect((await vm.ping('10.24.0.1')).received).toBe(3);
  } finally {
    await lab.resume('astara-orchestrator');
  }
  await waitFor('the agent to be alive', async () => (await scene.cloud.agent('L3 agent'))?.alive === true, {
    timeout: 45_000,
  });
  const routes = () => scene.external.exec(['ip', '-n', `astara-${router.id}`, 'route']);
  await waitFor('the route that was missed', async () => (await routes()).includes('172.29.0.0/24'), {
    timeout: 15_000,
  });
});
