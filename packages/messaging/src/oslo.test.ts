import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incoming, Notification, RequestContext } from './contract.ts';
import type { RabbitMessaging } from './messaging.ts';
import type { RabbitOptions } from './options.ts';
import { TestBroker } from './testing/broker.ts';
import { OsloPeer } from './testing/oslo-peer.ts';
import { Cleanup, newTopic, quick } from './testing/peers.ts';
import { until } from './testing/until.ts';

const cleanup = new Cleanup();
const wait = { timeout: 15_000 };
let broker: TestBroker;

beforeAll(async () => {
  broker = await TestBroker.start();
  cleanup.add(() => broker.remove());
});
afterAll(() => cleanup.run());

/** The same settings on both sides, as the operator's neutron.conf would have them: RabbitMQ refuses what differs. */
const clouds: [string, RabbitOptions][] = [
  ['neutron', {}],
  ['durable', { amqp_durable_queues: true, rabbit_transient_queues_ttl: 600 }],
  ['quorum', { rabbit_quorum_queue: true, rabbit_quorum_delivery_limit: 4 }],
  ['auto-delete', { amqp_auto_delete: true }],
];

const context: RequestContext = {
  requestId: 'req-7b7c58a0-5c6f-4a29-bb6d-97959ec7de12',
  timestamp: Date.UTC(2026, 10, 20, 20, 37, 15, 283),
  projectId: 'f2a2dfdfc0d343c9831c3b8fb0269427',
  projectName: 'demo',
  userId: '77533d095974468fb3d1fbc155aaad23',
  userName: 'alice',
  roles: ['member', 'reader'],
};
/** The same as oslo.messaging hands it to an endpoint; the time limit is of its making. */
const osloContext = {
  is_admin: false,
  request_id: context.requestId,
  timestamp: '2026-11-20 20:37:15.283000',
  project: context.projectId,
  project_id: context.projectId,
  tenant_id: context.projectId,
  project_name: 'demo',
  tenant_name: 'demo',
  user: context.userId,
  user_id: context.userId,
  user_name: 'alice',
  roles: ['member', 'reader'],
  client_timeout: null,
};

describe.each(clouds)('real oslo.messaging, exchange %s, %o', (exchange, rabbit) => {
  const closing = new Cleanup();
  let ours: RabbitMessaging;
  let oslo: OsloPeer;

  beforeAll(async () => {
    oslo = new OsloPeer(broker.url, exchange, { ...rabbit });
    closing.add(() => oslo.close());
    ours = quick(broker, { exchange, rabbit, notificationTopics: [`${exchange}_ours`] });
    closing.add(() => ours.close());
    await ours.ready();
  });
  afterAll(() => closing.run());

  test('our client, its server', async () => {
    const { topic, version } = newTopic();
    expect(await oslo.do('serve', { topic, host: 'oslo1' })).toEqual({ result: null });
    const args = { list: [1, 2.5, null, 'ü'], nested: { yes: true } };
    expect(await ours.call({ topic, version }, 'echo', args, wait)).toMatchObject({
      args,
      context: { is_admin: true, request_id: expect.stringMatching(/^req-[0-9a-f-]{36}$/) },
    });
    expect(await ours.call({ topic, version }, 'echo', {}, { ...wait, context })).toEqual({
      args: {},
      context: osloContext,
    });
    expect(await ours.call({ topic, version, server: 'oslo1' }, 'echo', {}, wait)).toMatchObject({ args: {} });

    await expect(ours.call({ topic, version }, 'fail', { message: 'on purpose' }, wait)).rejects.toMatchObject({
      code: 'MESSAGING_REMOTE_ERROR',
      remoteClass: 'PeerFailure',
      remoteModule: '__main__',
      remoteMessage: 'on purpose',
    });
    await expect(ours.call({ topic, version }, 'nothing', {}, wait)).rejects.toMatchObject({
      remoteClass: 'NoSuchMethod',
    });
    await expect(ours.call({ topic, version: '2.0' }, 'echo', {}, wait)).rejects.toMatchObject({
      remoteClass: 'UnsupportedVersion',
    });

    await ours.cast({ topic, version }, 'note', { n: topic });
    await ours.cast({ topic, version, fanout: true }, 'note', { n: `${topic}-fanout` });
    const noted = async () => JSON.stringify(await ours.call({ topic, version }, 'get_notes', {}, wait));
    await until('both casts are noted', async () => {
      const notes = await noted();
      return notes.includes(`"${topic}"`) && notes.includes(`${topic}-fanout`);
    });
  });

  test('its client, our server', async () => {
    const { topic } = newTopic();
    const seen: Incoming[] = [];
    await ours.serve({
      topic,
      host: 'ours1',
      version: '1.5',
      handlers: {
        echo: (message) => {
          seen.push(message);
          return message.args;
        },
        note: (message) => void seen.push(message),
        fail: () => {
          throw new RangeError('on purpose');
        },
      },
    });
    const args = { list: [1, null], text: 'ü' };
    expect(await oslo.do('call', { topic, method: 'echo', args })).toEqual({ result: args });
    expect(await oslo.do('call', { topic, server: 'ours1', method: 'echo', args: {} })).toEqual({ result: {} });
    expect(seen[0]).toMatchObject({ method: 'echo', context: { requestId: 'req-from-oslo' } });
    expect(JSON.stringify(seen)).not.toContain('a-live-token');

    expect(await oslo.do('call', { topic, method: 'fail', args: {} })).toMatchObject({
      error: 'RemoteError',
      remote: 'RangeError',
      message: 'on purpose',
    });
    expect(await oslo.do('call', { topic, method: 'nothing', args: {} })).toMatchObject({
      remote: 'NoSuchMethod',
      message: 'Endpoint does not support RPC method nothing',
    });
    expect(await oslo.do('call', { topic, version: '1.9', method: 'echo', args: {} })).toMatchObject({
      remote: 'UnsupportedVersion',
    });

    expect(await oslo.do('cast', { topic, method: 'note', args: { n: 1 } })).toEqual({ result: null });
    expect(await oslo.do('cast', { topic, fanout: true, method: 'note', args: { n: 2 } })).toEqual({ result: null });
    await until('both casts are there', () => seen.filter(({ method }) => method === 'note').length === 2);
  });

  test('its notifications, our listener', async () => {
    const got: Notification[] = [];
    // oslo.messaging declares a queue of that name: one for each cloud, as they share a broker here.
    const topic = `${exchange}_notifications`;
    await ours.listen({
      exchange,
      topics: [`${topic}.info`],
      queue: `at-messaging-${exchange}`,
      handler: (notification) => void got.push(notification),
    });
    expect(await oslo.do('notify', { topic, count: 20 })).toEqual({ result: null });
    await until('all are there', () => got.length === 20);
    expect(got.map(({ payload }) => payload)).toEqual(
      Array.from({ length: 20 }, (_, number) => ({ router: { number } })),
    );
    expect(got[0]).toMatchObject({ eventType: 'router.update.end', publisherId: 'network.oslo', priority: 'INFO' });
    expect(Math.abs(Date.now() - (got[0]?.timestamp ?? 0))).toBeLessThan(20_000);
    expect(JSON.stringify(got)).not.toContain('a-live-token');
  });

  test('our notifications, its listener', async () => {
    expect(await oslo.do('listen', { topic: `${exchange}_ours` })).toEqual({ result: null });
    const heard = async () => (await oslo.do('heard', {})).result as unknown[];
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    const first = { eventType: 'router.create.end', publisherId: 'network.ours1', context };
    await until('its queue is there', async () => {
      await ours.notify({ ...first, payload: { router: { number: 'none yet' } } });
      return (await heard()).length > 0;
    });
    for (const number of numbers) await ours.notify({ ...first, payload: { router: { number } } });
    await until('all are there', async () => JSON.stringify(await heard()).includes('"number":19'));
    const got = (await heard()).slice(-20);
    expect(got).toEqual(
      numbers.map((number) => ({
        context: osloContext,
        publisher_id: 'network.ours1',
        event_type: 'router.create.end',
        payload: { router: { number } },
        metadata: {
          message_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
        },
      })),
    );
  });
});

test('a call of oslo.messaging that is under way when the broker restarts is answered', async () => {
  const oslo = new OsloPeer(broker.url, 'neutron', {});
  const ours = quick(broker);
  cleanup.add(() => oslo.close());
  cleanup.add(() => ours.close());
  const { topic } = newTopic();
  const gate = Promise.withResolvers<string>();
  let handled = 0;
  const slow = () => {
    handled += 1;
    return gate.promise;
  };
  await ours.serve({ topic, host: 'ours1', version: '1.0', handlers: { slow } });
  const answer = oslo.do('call', { topic, method: 'slow', args: {}, timeout: 60 });
  await until('the handler runs', () => handled === 1);
  await broker.restart();
  gate.resolve('kept');
  expect(await answer).toEqual({ result: 'kept' });
  expect(handled).toBe(1);
}, 90_000);

test('an idempotent call to oslo.messaging survives a restart of the broker', async () => {
  const oslo = new OsloPeer(broker.url, 'neutron', {});
  const ours = quick(broker);
  cleanup.add(() => oslo.close());
  cleanup.add(() => ours.close());
  const { topic, version } = newTopic();
  await oslo.do('serve', { topic, host: 'oslo1' });
  const calls = async () => {
    for (let n = 0; n < 200; n++) {
      const answer = await ours.call<{ args: unknown }>(
        { topic, version },
        'echo',
        { n },
        { timeout: 60_000, idempotent: true },
      );
      expect(answer.args).toEqual({ n });
    }
  };
  const flowing = calls();
  await broker.restart();
  await flowing;
}, 90_000);
