import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Handler } from './contract.ts';
import { newId } from './envelope.ts';
import { connectMessaging, type RabbitMessaging } from './messaging.ts';
import { freePorts, TestBroker } from './testing/broker.ts';
import { Cleanup, encodeEnvelope, newTopic, publishRaw, quick, rawConnection } from './testing/peers.ts';
import { until } from './testing/until.ts';

const cleanup = new Cleanup();
const wait = { timeout: 10_000 };
let broker: TestBroker;
let client: RabbitMessaging;
let server: RabbitMessaging;
const serverLog: unknown[] = [];

beforeAll(async () => {
  broker = await TestBroker.start();
  cleanup.add(() => broker.remove());
  client = quick(broker);
  cleanup.add(() => client.close());
  const log = (fields: object, message: string) => void serverLog.push({ ...fields, message });
  server = quick(broker, { log: { info: log, warn: log, error: log } });
  cleanup.add(() => server.close());
  await Promise.all([client.ready(), server.ready()]);
});
afterAll(() => cleanup.run());

function serve(topic: string, handlers: Record<string, Handler>, on = server, host = 'host1') {
  return on.serve({ topic, host, version: '1.5', handlers });
}

test('malformed messages are dropped, counted, and stop nothing', async () => {
  const target = newTopic();
  await serve(target.topic, { echo: ({ args }) => args });
  const raw = rawConnection(broker);
  cleanup.add(() => raw.close());
  const before = server.counts.malformed;
  const secret = encodeEnvelope({ args: {}, _context_auth_token: 's3cret' });
  for (const body of ['', '{', '[]', '{"oslo.version":"2.0","oslo.message":"s3cret"}', secret]) {
    await publishRaw(raw, 'neutron', target.topic, body);
  }
  expect(await client.call(target, 'echo', { a: 1 }, wait)).toEqual({ a: 1 });
  expect(server.counts.malformed).toBe(before + 5);
  expect(JSON.stringify(serverLog)).not.toContain('s3cret');
  // Acknowledged: nothing waits to be delivered again.
  expect(await broker.ctl('list_queues', 'name', 'messages')).toMatch(new RegExp(`^${target.topic}\t0$`, 'm'));
});

test('the same message delivered twice is handled once', async () => {
  const target = newTopic();
  const got: unknown[] = [];
  await serve(target.topic, { note: ({ args }) => void got.push(args.n) });
  const raw = rawConnection(broker);
  cleanup.add(() => raw.close());
  const before = server.counts.duplicates;
  const message = (n: number, id: string) =>
    encodeEnvelope({ method: 'note', args: { n }, version: '1.0', _unique_id: id });
  const [a, b] = [newId(), newId()];
  for (const body of [message(1, a), message(1, a), message(2, b), message(1, a), message(3, newId())]) {
    await publishRaw(raw, 'neutron', target.topic, body);
  }
  await until('the last is there', () => got.includes(3));
  expect(got).toEqual([1, 2, 3]);
  expect(server.counts.duplicates).toBe(before + 2);
});

describe('connecting', () => {
  test('a first broker that is dead is passed over', async () => {
    const [dead] = await freePorts(1);
    const messaging = quick(broker, {
      transportUrl: broker.url.replace('@', `@127.0.0.1:${dead},${credentials(broker)}@`),
    });
    cleanup.add(() => messaging.close());
    await messaging.ready(AbortSignal.timeout(5000));
    const target = newTopic();
    await serve(target.topic, { ping: () => 'pong' });
    expect(await messaging.call(target, 'ping', {}, wait)).toBe('pong');
  });

  test('a wrong password is told at once, and never shown', async () => {
    const logged: unknown[] = [];
    const log = (fields: object, message: string) => void logged.push(fields, message);
    const messaging = connectMessaging({
      transportUrl: `rabbit://at-messaging:wr0ng@127.0.0.1:${broker.port}/`,
      log: { info: log, warn: log, error: log },
    });
    cleanup.add(() => messaging.close());
    const error = await messaging.ready().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MESSAGING_ACCESS_REFUSED', retry: 'operator' });
    expect(messaging.connected).toBe(false);
    expect(JSON.stringify([logged, String(error)])).not.toContain('wr0ng');
  });

  test('a virtual host that does not exist is told', async () => {
    const messaging = connectMessaging({ transportUrl: `${broker.url}nowhere` });
    cleanup.add(() => messaging.close());
    await expect(messaging.ready()).rejects.toMatchObject({
      code: 'MESSAGING_ACCESS_REFUSED',
      message: expect.stringContaining('nowhere'),
    });
  });

  test('a broker that is down: ready tells why when its signal aborts, calls say they were not sent', async () => {
    const [dead] = await freePorts(1);
    const messaging = connectMessaging({ transportUrl: `rabbit://u:p@127.0.0.1:${dead}/` });
    cleanup.add(() => messaging.close());
    await expect(messaging.ready(AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'MESSAGING_UNREACHABLE' });
    await expect(messaging.call(newTopic(), 'x', {}, { timeout: 100 })).rejects.toMatchObject({
      code: 'MESSAGING_DISCONNECTED',
    });
  });

  test('a queue declared otherwise: the error names queue and option, and the rest goes on', async () => {
    const target = newTopic();
    const raw = rawConnection(broker);
    cleanup.add(() => raw.close());
    await raw.queueDeclare({ queue: target.topic, durable: true });
    await expect(serve(target.topic, {})).rejects.toMatchObject({
      code: 'MESSAGING_TOPOLOGY_MISMATCH',
      retry: 'operator',
      message: `The queue ${target.topic} exists with durable 'true', we would declare it with 'false'`,
      remedy: expect.stringContaining('amqp_durable_queues'),
    });
    expect(server.connected).toBe(true);
    // Also when it is found while connecting.
    const durable = quick(broker, { rabbit: { amqp_durable_queues: true } });
    cleanup.add(() => durable.close());
    await expect(durable.ready()).rejects.toMatchObject({
      code: 'MESSAGING_TOPOLOGY_MISMATCH',
      message: expect.stringContaining('The exchange neutron exists with durable'),
    });
  });

  test('quorum queues: calls work, and the reply queue is one too', async () => {
    const options = {
      exchange: 'quorum-cloud',
      rabbit: { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true, rabbit_quorum_delivery_limit: 3 },
    };
    const [asking, answering] = [quick(broker, options), quick(broker, options)];
    cleanup.add(() => Promise.all([asking.close(), answering.close()]));
    const target = newTopic();
    await serve(target.topic, { ping: () => 'pong' }, answering);
    expect(await asking.call(target, 'ping', {}, wait)).toBe('pong');
    const queues = await broker.ctl('list_queues', 'name', 'type', 'durable');
    expect(queues).toMatch(new RegExp(`^${target.topic}\tquorum\ttrue$`, 'm'));
    expect(queues).toMatch(/^reply_[0-9a-f]{32}\tquorum\ttrue$/m);
  });
});

test('latency: a call there and back', async () => {
  const target = newTopic();
  await serve(target.topic, { echo: ({ args }) => args.n });
  const times: number[] = [];
  for (let n = 0; n < 500; n++) {
    const began = performance.now();
    await client.call(target, 'echo', { n }, wait);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(2);
  console.log(`call round trip: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`);
  // Generous: the machine is shared. Nagle's algorithm alone would cost 40 ms.
  expect(times[250]).toBeLessThan(20);
});

function credentials({ url }: TestBroker): string {
  return url.slice('rabbit://'.length, url.indexOf('@127'));
}
