import { afterAll, beforeEach, expect, test } from 'vitest';
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

/** Whether the broker or the server was away since the last look. */
let disturbed = true;
async function healthy(): Promise<void> {
  await lab.up('astara');
  // neutron-linuxbridge-agent waits a minute and longer for answers that died with the broker; the next test's taps would wait too.
  if (disturbed) await lab.restart('linuxbridge');
  disturbed = false;
}
beforeEach(healthy);
afterAll(healthy);

async function underTraffic(
  scene: Scene,
): Promise<{ vm: Vm; router: string; lost: () => Promise<number>; initPids: () => Promise<string[]> }> {
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.11.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await scene.vm('a', network);
  await vm.dhcp();
  await vm.reaches(EXTERNAL_ADDRESS);
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

test.each(parts)(
  '$service killed and restarted under traffic: no packet lost, nothing made again, changes of the meantime arrive',
  async ({ service, apiAnswers }) => {
    disturbed = !apiAnswers;
    await using scene = new Scene(`kill${service.replaceAll('-', '')}`);
    const { vm, lost, initPids } = await underTraffic(scene);
    const before = await initPids();
    await lab.kill(service);
    const missed = apiAnswers ? await scene.cloud.createFloatingIp({ port_id: vm.port.id }) : undefined;
    await lab.start(service);
    if (missed === undefined) await converges(scene, vm);
    else await scene.external.reaches(missed.floating_ip_address, RECOVERY);
    if (missed !== undefined) await scene.cloud.delete('floatingip', missed);
    await lab.restart(service);
    await converges(scene, vm);
    expect(await lost()).toBe(0);
    expect(await initPids()).toEqual(before);
  },
);

test('all of them at once, in an order of chance', async () => {
  disturbed = true;
  await using scene = new Scene('killall');
  const { vm, lost } = await underTraffic(scene);
  const order = parts.map(({ service }) => service).sort(() => Math.random() - 0.5);
  console.log(`order: ${order.join(', ')}`);
  for (const service of order) await lab.kill(service);
  for (const service of order.toSorted(() => Math.random() - 0.5)) await lab.launch(service);
  await lab.up('astara');
  await converges(scene, vm);
  expect(await lost()).toBe(0);
});
