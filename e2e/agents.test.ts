import { afterAll, expect, test } from 'vitest';
import { configured, instanceOf } from './lib/astara.ts';
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

test('Neutron sees both agents alive, with true counts', async () => {
  await using scene = new Scene('agents');
  const counts = async (type: string) => (await scene.cloud.agent(type))?.configurations as Record<string, number>;
  const before = await counts('L3 agent');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.21.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await leased(scene, 'a', network);
  await scene.cloud.createFloatingIp({ port_id: vm.port.id });
  await configured(router.id);
  const listed = await scene.cloud.cli('network', 'agent', 'list', '-f', 'value', '-c', 'Agent Type', '-c', 'Alive');
  expect(listed).toContain('L3 agent True');
  expect(listed).toContain('DHCP agent True');
  // Counts travel with the next heartbeat, every 30 s.
  await waitFor(
    'the counts to grow',
    async () => {
      const now = await counts('L3 agent');
      return ['routers', 'ex_gw_ports', 'interfaces', 'floating_ips'].every(
        (key) => (now[key] ?? 0) === (before[key] ?? 0) + 1,
      );
    },
    { timeout: 70_000, interval: 1_000 },
  );
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
