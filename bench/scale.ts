import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TestBroker } from '@astara/messaging/testing/broker.ts';
import { waitFor } from '../e2e/lib/wait.ts';
import { pss } from './lib/memory.ts';
import { figure, finish, round, type Spread, say, spread } from './lib/report.ts';
import { CloudSide, OrchestratorSide } from './scale/side.ts';
import { User } from './scale/user.ts';

/**
 * The orchestrator with many routers: a cloud in one process, RabbitMQ, and a simulated host. How long from its start until all are in sync, what it
 * costs, and what a user's change waits for meanwhile. The peer is the orchestrator itself with the fewest routers: what a
 * router costs must not grow with their number.
 */
const { values: options } = parseArgs({ options: { routers: { type: 'string', default: '100,1000,5000,20000' } } });
const password = 'scale';

interface Result {
  readonly routers: number;
  /** Seconds from the orchestrator's start until all were in sync: from nothing, and with all instances there. */
  readonly fromNothing: number;
  readonly restart: number;
  /** Seconds of processor time of the orchestrator until then. */
  readonly cpu: number;
  /** MiB: of the process (PSS), and of what lives in its heap. */
  readonly memory: number;
  readonly heap: number;
  /** Seconds from the API's answer until in force. */
  readonly changeDuringSync: Spread;
  readonly changeAfterwards: Spread;
}

async function measure(routers: number): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'astara-scale-'));
  const broker = await TestBroker.start();
  try {
    say(`${routers} routers: the cloud is filled`);
    const cloud = await CloudSide.start(broker.url, password, routers);
    say(`${routers} routers: the orchestrator starts`);
    const orchestrator = new OrchestratorSide(dir, broker.url, cloud.authUrl, password, routers);
    const during = new User(cloud, orchestrator);
    const synced = orchestrator.hear('synced');
    const over = new AbortController();
    await waitFor('the agents', async () => (await cloud.neutron.agents.list()).length === 2, { interval: 5 });
    const working = during.work(routers < 1000 ? 2 : 50, over.signal);
    const { began, at } = await synced;
    over.abort();
    await working;
    await during.satisfied();
    orchestrator.tell({ type: 'measure' });
    const { cpu, heap } = await orchestrator.hear('measured');
    const memory = pss([orchestrator.pid]);
    say(
      `${routers} routers: in sync after ${((at - began) / 1000).toFixed(2)} s, ${cpu.toFixed(1)} s of CPU, ${memory.toFixed(0)} MiB`,
    );
    const afterwards = new User(cloud, orchestrator);
    orchestrator.tell({ type: 'restart' });
    const again = await orchestrator.hear('synced');
    await afterwards.work(20, new AbortController().signal, 50);
    await afterwards.satisfied();
    await orchestrator.stop();
    await cloud.stop();
    return {
      routers,
      fromNothing: round((at - began) / 1000),
      restart: round((again.at - again.began) / 1000),
      cpu: round(cpu),
      memory: round(memory),
      heap: round(heap),
      changeDuringSync: spread(during.waits),
      changeAfterwards: spread(afterwards.waits),
    };
  } finally {
    await broker.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

const results: Result[] = [];
for (const routers of options.routers.split(',').map(Number)) {
  const result = await measure(routers);
  say(JSON.stringify(result));
  results.push(result);
}
const [fewest] = results;
const figures = results.slice(1).flatMap((many) => {
  if (fewest === undefined) return [];
  const each = (what: string, of: (result: Result) => number) =>
    figure(
      `${what} per router, ${many.routers} routers, against ${fewest.routers}`,
      's',
      of(many) / many.routers,
      of(fewest) / fewest.routers,
    );
  return [each('from nothing', ({ fromNothing }) => fromNothing), each('CPU', ({ cpu }) => cpu)];
});
finish('scale', figures, { results });
