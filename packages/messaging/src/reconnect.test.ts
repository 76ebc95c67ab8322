import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RabbitMessaging } from './messaging.ts';
import type { Log } from './options.ts';
import { TestBroker } from './testing/broker.ts';
import { Cleanup, newTopic, notificationBody, publishRaw, quick, rawConnection } from './testing/peers.ts';
import { until } from './testing/until.ts';

const wait = { timeout: 50_000 };
let broker: TestBroker;
const cleanup = new Cleanup();

beforeAll(async () => {
  broker = await TestBroker.start();
});
afterEach(() => cleanup.run());
afterAll(() => broker?.remove());

async function pair(log?: Log): Promise<{ client: RabbitMessaging; server: RabbitMessaging }> {
  const [client, server] = [quick(broker, log ? { log } : {}), quick(broker)];
  cleanup.add(() => Promise.all([client.close(), server.close()]));
  await Promise.all([client.ready(), server.ready()]);
  return { client, server };
}

test('connections closed from outside while calls and handlers are under way: each call is answered, none handled twice', async () => {
  const lines: unknown[] = [];
  const note = (fields: object, message: string) => void lines.push({ ...fields, message });
  const { client, server } = await pair({ info: note, warn: note, error: note });
  const target = newTopic();
  const handled = new Map<unknown, number>();
  await server.serve({
    ...target,
    host: 'h',
    handlers: {
      work: async ({ args }) => {
        handled.set(args.n, (handled.get(args.n) ?? 0) + 1);
        await sleep(Number(args.ms));
        return args.n;
      },
    },
  });
  const events: string[] = [];
  client.on('disconnected', () => events.push('disconnected'));
  client.on('connected', () => events.push('connected'));

  // Calls flow all the time; some handlers last longer than the interruption.
  const answers: Promise<number>[] = [];
  let flowing = true;
  const flow = (async () => {
    for (let n = 0; flowing; n++) {
      answers.push(client.call<number>(target, 'work', { n, ms: n % 10 === 0 ? 3000 : 20 }, wait));
      await sleep(10);
    }
  })();
  await until('calls are answered', () => handled.size > 20);
  for (let round = 0; round < 3; round++) {
    const before = [client.connections, server.connections];
    await broker.closeConnections();
    await until('both are back', () => client.connections > (before[0] ?? 0) && server.connections > (before[1] ?? 0));
  }
  flowing = false;
  await flow;
  expect(await Promise.all(answers)).toEqual(answers.map((_, n) => n));
  expect([...handled.values()].every((times) => times === 1)).toBe(true);
  expect(lines).toContainEqual(
    expect.objectContaining({
      message: 'lost the connection to the message bus',
      error: expect.stringContaining('closed by the test'),
    }),
  );
  // No connection is left behind by the ones that were lost.
  expect((await broker.ctl('list_connections', 'pid', '--no-table-headers')).trim().split('\n')).toHaveLength(2);
  expect(events.slice(0, 4)).toEqual(['disconnected', 'connected', 'disconnected', 'connected']);
  console.log(`closed 3 times: ${answers.length} calls, duplicates dropped: ${server.counts.duplicates}`);
});

test('broker stopped and started: calls made before, during and after are answered; so is the one whose handler was running', async () => {
  const { client, server } = await pair();
  const target = newTopic();
  let handled = 0;
  const gate = Promise.withResolvers<string>();
  await server.serve({
    ...target,
    host: 'h',
    handlers: {
      slow: () => {
        handled += 1;
        return gate.promise;
      },
      echo: ({ args }) => args.n,
    },
  });
  const slow = client.call(target, 'slow', {}, wait);
  await until('the handler runs', () => handled === 1);
  await broker.stop();
  await until('both know', () => !client.connected && !server.connected);
  const during = client.call(target, 'echo', { n: 1 }, wait);
  // The server has its answer while there is nobody to send it to.
  gate.resolve('kept');
  await broker.boot();
  expect(await slow).toBe('kept');
  expect(await during).toBe(1);
  expect(await client.call(target, 'echo', { n: 2 }, wait)).toBe(2);
  expect(handled).toBe(1);
});

test('a server whose queue is deleted under it declares it again', async () => {
  const { client, server } = await pair();
  const target = newTopic();
  await server.serve({ ...target, host: 'h', handlers: { echo: () => 1 } });
  await broker.ctl('delete_queue', target.topic);
  expect(await client.call(target, 'echo', {}, wait)).toBe(1);
});

test('notifications published while the connection is down wait in our queue', async () => {
  const { client } = await pair();
  const got: string[] = [];
  const queue = `at-messaging-${newTopic().topic}`;
  await client.listen({
    exchange: 'neutron',
    topics: [queue.replace('at-', 'notifications-')],
    queue,
    handler: ({ eventType }) => void got.push(eventType),
  });
  const key = queue.replace('at-', 'notifications-');
  const raw = rawConnection(broker);
  cleanup.add(() => raw.close());
  let n = 0;
  const publish = () => publishRaw(raw, 'neutron', key, notificationBody(`event.${n++}`, {}));
  await publish();
  await until('the first is there', () => got.length === 1);
  let meanwhile: Promise<void> | undefined;
  client.on('disconnected', () => {
    meanwhile ??= publish().then(publish);
  });
  await broker.closeConnections();
  await until('we know', () => meanwhile !== undefined);
  await meanwhile;
  await until('all are there', () => got.length === 3);
  expect(got).toEqual(['event.0', 'event.1', 'event.2']);
});

test('a broker that falls silent is noticed by its missing heartbeats', async () => {
  const messaging = quick(broker, {
    rabbit: { heartbeat_timeout_threshold: 2, rabbit_retry_interval: 0.2, rabbit_interval_max: 0.5 },
    connectTimeout: 1000,
  });
  cleanup.add(() => messaging.close());
  const target = newTopic();
  await messaging.serve({ ...target, host: 'h', handlers: { echo: () => 'awake' } });
  broker.pause();
  const began = performance.now();
  try {
    const answer = messaging.call(target, 'echo', {}, wait);
    await until('it is noticed', () => !messaging.connected, 10_000);
    console.log(`silent broker noticed after ${Math.round(performance.now() - began)} ms, threshold 2000 ms`);
    broker.resume();
    expect(await answer).toBe('awake');
  } finally {
    broker.resume();
  }
});
