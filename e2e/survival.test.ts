import { afterEach, describe, expect, test } from 'vitest';
import { instances } from './lib/astara.ts';
import { EXTERNAL_ADDRESS } from './lib/external.ts';
import * as lab from './lib/lab.ts';
import { Scene } from './lib/scene.ts';
import { routed } from './lib/topology.ts';
import type { Vm } from './lib/vm.ts';
import { waitFor } from './lib/wait.ts';

/**
 * Things die under traffic, and changes are made meanwhile. The data plane loses no packet, what was made is adopted, and
 * within 15 s of the last recovery the world equals Neutron's database again.
 */
const RECOVERY = 15_000;

interface Part {
  readonly service: lab.Service;
  /** Whether the API takes changes while it is away. */
  readonly apiAnswers: boolean;
}

const parts: readonly Part[] = [
  { service: 'astara-orchestrator', apiAnswers: true },
  { service: 'astara-agent', apiAnswers: true },
  { service: 'rabbitmq', apiAnswers: false },
  { service: 'neutron-server', apiAnswers: false },
];

afterEach(() => lab.up('astara'));

async function underTraffic(
  scene: Scene,
): Promise<{ vm: Vm; router: string; lost: () => Promise<number>; initPids: () => Promise<string[]> }> {
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.11.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await scene.vm('a', network);
  // The L2 agent wires the router; after what the test before did, it may still await an answer for a minute.
  await vm.dhcp({ timeout: 90_000 });
  await vm.reaches(EXTERNAL_ADDRESS, 90_000);
  const pinger = vm.startPing(EXTERNAL_ADDRESS, { interval: 0.02 });
  const lost = async () => {
    const { sent, received } = await pinger.stop();
    expect(sent).toBeGreaterThan(50);
    // The one that is under way when the ping is stopped does not count.
    return Math.max(0, sent - received - 1);
  };
  const inside = ['ip', 'netns', 'pids', `astara-${router.id}`];
  const initPids = async () => (await scene.external.exec(inside)).trim().split('\n').sort();
  return { vm, router: router.id, lost, initPids };
}

/** A floating IP made now works within the time promised. */
async function converges(scene: Scene, vm: Vm): Promise<void> {
  const floating = await scene.cloud.createFloatingIp({ port_id: vm.port.id });
  await scene.external.reaches(floating.floating_ip_address, RECOVERY);
  await scene.cloud.delete('floatingip', floating);
}

describe.each(parts)('$service', ({ service, apiAnswers }) => {
  test('kill -9 under traffic: no packet lost, nothing made again, changes of the meantime arrive', async () => {
    await using scene = new Scene(`kill${service.replaceAll('-', '')}`);
    const { vm, lost, initPids } = await underTraffic(scene);
    const before = await initPids();
    await lab.kill(service);
    const missed = apiAnswers ? await scene.cloud.createFloatingIp({ port_id: vm.port.id }) : undefined;
    await lab.start(service);
    if (missed === undefined) await converges(scene, vm);
    else await scene.external.reaches(missed.floating_ip_address, RECOVERY);
    expect(await lost()).toBe(0);
    expect(await initPids()).toEqual(before);
  });

  test('restart', async () => {
    await using scene = new Scene(`restart${service.replaceAll('-', '')}`);
    const { vm, lost, initPids } = await underTraffic(scene);
    const before = await initPids();
    await lab.restart(service);
    await converges(scene, vm);
    expect(await lost()).toBe(0);
    expect(await initPids()).toEqual(before);
  });
});

test('all of them at once, in an order of chance', async () => {
  await using scene = new Scene('killall');
  const { vm, lost } = await underTraffic(scene);
  const order = parts.map(({ service }) => service).sort(() => Math.random() - 0.5);
  console.log(`order: ${order.join(', ')}`);
  for (const service of order) await lab.kill(service);
  // neutron-server cannot start without a broker; the rest may come in any order
  const back = [...order].reverse().sort((a, b) => Number(b === 'rabbitmq') - Number(a === 'rabbitmq'));
  for (const service of back) await lab.start(service);
  await converges(scene, vm);
  expect(await lost()).toBe(0);
});

test('a router deleted while the orchestrator is dead is collected; one whose init was killed is made again', async () => {
  await using scene = new Scene('orphan');
  const { cloud } = scene;
  const { router: doomed, subnets } = await routed(scene, 'doomed', { cidrs: ['10.12.0.0/24'] });
  const { vm, router } = await underTraffic(scene);
  const [subnet] = subnets;
  if (subnet === undefined) throw new Error('no subnet');
  await waitFor(
    'both routers',
    async () => (await instances()).filter(({ resource }) => [doomed.id, router].includes(resource.id)).length === 2,
  );

  await lab.kill('astara-orchestrator');
  await cloud.removeInterface(doomed, { subnet_id: subnet.id });
  await cloud.delete('router', doomed);
  await lab.start('astara-orchestrator');
  const collected = async () => (await instances()).every(({ resource }) => resource.id !== doomed.id);
  await waitFor('the orphan to be collected', collected, { timeout: RECOVERY });

  const init = [
    'sh',
    '-c',
    `kill -KILL $(ip netns pids astara-${router} | xargs -r ps -o pid=,comm= -p | awk '$2=="catatonit"{print $1}')`,
  ];
  await scene.external.exec(init);
  await waitFor(
    'the router to be made again',
    async () => (await vm.ping(EXTERNAL_ADDRESS, { count: 1 })).received === 1,
    { timeout: RECOVERY },
  );
});
