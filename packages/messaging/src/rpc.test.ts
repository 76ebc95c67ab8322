import { AstaraError } from '@astara/model/error.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Handler, Incoming } from './contract.ts';
import { encodeEnvelope, newId } from './envelope.ts';
import { RemoteError } from './errors.ts';
import { connectMessaging, type RabbitMessaging } from './messaging.ts';
import { freePorts, TestBroker } from './testing/broker.ts';
import { Cleanup, newTopic, publishRaw, quick, rawConnection } from './testing/peers.ts';
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

describe('call', () => {
  test('is answered with what the handler returns, and the context comes along', async () => {
    const target = newTopic('1.2');
    const seen: Incoming[] = [];
    await serve(target.topic, {
      add: async (message) => {
        seen.push(message);
        return Number(message.args.a) + Number(message.args.b);
      },
    });
    expect(await client.call(target, 'add', { a: 1, b: 2 }, wait)).toBe(3);
    expect(seen[0]).toMatchObject({
      method: 'add',
      version: '1.2',
      context: { requestId: expect.stringMatching(/^req-/) },
    });
  });

  test('reaches one server of the topic by its host', async () => {
    const { topic, version } = newTopic();
    const other = quick(broker);
    cleanup.add(() => other.close());
    await serve(topic, { who: () => 'host1' });
    await serve(topic, { who: () => 'host2' }, other, 'host2');
    for (const host of ['host1', 'host2']) {
      expect(await client.call({ topic, version, server: host }, 'who', {}, wait)).toBe(host);
    }
  });

  test('handlers run side by side', async () => {
    const target = newTopic();
    const gate = Promise.withResolvers<string>();
    await serve(target.topic, { hold: () => gate.promise, open: () => gate.resolve('opened') });
    const held = client.call(target, 'hold', {}, wait);
    await client.call(target, 'open', {}, wait);
    expect(await held).toBe('opened');
  });

  test('null, nothing, and a body of many frames', async () => {
    const target = newTopic();
    await serve(target.topic, { echo: ({ args }) => args.value });
    const large = { text: 'ü'.repeat(700_000) };
    expect(await client.call(target, 'echo', { value: large }, wait)).toEqual(large);
    expect(await client.call(target, 'echo', { value: null }, wait)).toBeNull();
    expect(await client.call(target, 'echo', {}, wait)).toBeNull();
  });

  test('times out with a typed error that names topic and method', async () => {
    const target = newTopic();
    const gate = Promise.withResolvers<void>();
    await serve(target.topic, { never: () => gate.promise });
    await expect(client.call(target, 'never', {}, { timeout: 200 })).rejects.toMatchObject({
      code: 'MESSAGING_TIMEOUT',
      retry: 'retry',
      message: `No answer to never from ${target.topic} within 200 ms`,
    });
    gate.resolve();
  });

  test('to a topic that nobody listens on says so', async () => {
    await expect(client.call(newTopic(), 'x', {}, { timeout: 300 })).rejects.toMatchObject({
      code: 'MESSAGING_NO_DESTINATION',
    });
  });

  test('waits for a server that comes later', async () => {
    const target = newTopic();
    const answer = client.call(target, 'late', {}, wait);
    await serve(target.topic, { late: () => 'here now' });
    expect(await answer).toBe('here now');
  });

  test('ends with the reason of its signal', async () => {
    const target = newTopic();
    const controller = new AbortController();
    const gate = Promise.withResolvers<void>();
    const never = () => {
      controller.abort(new Error('enough'));
      return gate.promise;
    };
    await serve(target.topic, { never });
    await expect(client.call(target, 'never', {}, { ...wait, signal: controller.signal })).rejects.toThrow('enough');
    gate.resolve();
  });
});

describe('failures', () => {
  test('a handler that throws is answered with class and message, and logged', async () => {
    const target = newTopic();
    await serve(target.topic, {
      fail: () => {
        throw new RangeError('too far');
      },
    });
    const error = await client.call(target, 'fail', {}, wait).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ remoteClass: 'RangeError', remoteMessage: 'too far', retry: 'retry' });
    expect(serverLog).toContainEqual(expect.objectContaining({ topic: target.topic, method: 'fail' }));
  });

  test.each<[string, string, string]>([
    ['1.0', 'toString', 'NoSuchMethod'],
    ['1.6', 'known', 'UnsupportedVersion'],
    ['2.0', 'known', 'UnsupportedVersion'],
  ])('version %s, method %s: %s, for a person to mend', async (version, method, remoteClass) => {
    const { topic } = newTopic();
    await serve(topic, { known: () => 1 });
    await expect(client.call({ topic, version }, method, {}, wait)).rejects.toMatchObject({
      remoteClass,
      remoteModule: 'oslo_messaging.rpc.dispatcher',
      retry: 'operator',
    });
  });

  test('a result that is no JSON is answered with a failure', async () => {
    const target = newTopic();
    await serve(target.topic, { big: () => 1n });
    await expect(client.call(target, 'big', {}, wait)).rejects.toMatchObject({ remoteClass: 'TypeError' });
  });

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
});

describe('cast', () => {
  test('to the topic reaches one server, a fanout reaches all', async () => {
    const { topic, version } = newTopic();
    const got: string[] = [];
    const servers = [server, quick(broker), quick(broker)];
    for (const [index, messaging] of servers.entries()) {
      if (index > 0) cleanup.add(() => messaging.close());
      await serve(topic, { note: ({ args }) => void got.push(`${index}:${args.n}`) }, messaging, `host${index}`);
    }
    await client.cast({ topic, version }, 'note', { n: 'one' });
    await client.cast({ topic, version, fanout: true }, 'note', { n: 'all' });
    await client.cast({ topic, version, server: 'host2' }, 'note', { n: 'host' });
    await until('all are there', () => got.length === 5);
    expect(got.filter((entry) => entry.endsWith('all')).sort()).toEqual(['0:all', '1:all', '2:all']);
    expect(got).toContain('2:host');
  });

  test('a fanout to nobody is no error', async () => {
    await client.cast({ ...newTopic(), fanout: true }, 'x', {});
  });

  test('a topic without a queue is an error after the time for it', async () => {
    const impatient = quick(broker, { rabbit: { kombu_missing_consumer_retry_timeout: 0.2 } });
    cleanup.add(() => impatient.close());
    await expect(impatient.cast(newTopic(), 'x', {})).rejects.toMatchObject({ code: 'MESSAGING_NO_DESTINATION' });
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

test('close fails calls under way, waits for handlers, and deletes the queues that are ours alone', async () => {
  const { topic, version } = newTopic();
  const [asking, answering] = [quick(broker), quick(broker)];
  const gate = Promise.withResolvers<string>();
  let started = false;
  const slow = () => {
    started = true;
    return gate.promise;
  };
  await serve(topic, { slow }, answering);
  const answered = client.call({ topic, version }, 'slow', {}, wait);
  await until('the handler runs', () => started);
  const closed = answering.close();
  gate.resolve('done');
  expect(await answered).toBe('done');
  await closed;

  const failed = asking.call({ topic, version }, 'slow', {}, wait).catch((reason: unknown) => reason);
  await asking.close();
  expect(await failed).toMatchObject({ code: 'MESSAGING_CLOSED' });
  await expect(asking.call({ topic, version }, 'slow', {}, wait)).rejects.toBeInstanceOf(AstaraError);
  expect(await broker.ctl('list_queues', 'name')).not.toContain(`${topic}_fanout_`);
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
