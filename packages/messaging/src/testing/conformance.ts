import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Handler, Incoming, Notification, RequestContext, Target } from '../contract.ts';
import { RemoteError } from '../errors.ts';
import type { LocalOptions } from '../local/bus.ts';
import type { OsloMessaging } from '../oslo-messaging.ts';
import { Cleanup, newTopic } from './peers.ts';
import { until } from './until.ts';

/** A bus under test. */
export interface Bus {
  connect(options?: LocalOptions): OsloMessaging;
  /** Messages that wait, by queue. */
  depths(): Promise<ReadonlyMap<string, number>>;
  /** The broker dies with its queues; resolves when that is so. */
  down(): Promise<void>;
  up(): Promise<void>;
  remove(): Promise<void>;
}

const wait = { timeout: 50_000 };

/** What `ServiceMessaging` promises, whatever carries the messages. */
export function describeMessaging(name: string, start: () => Promise<Bus>): void {
  describe(name, () => {
    const cleanup = new Cleanup();
    const serverLog: unknown[] = [];
    let bus: Bus;
    let client: OsloMessaging;
    let server: OsloMessaging;

    beforeAll(async () => {
      bus = await start();
      cleanup.add(() => bus.remove());
      client = connect();
      const log = (fields: object, message: string) => void serverLog.push({ ...fields, message });
      server = connect({ log: { info: log, warn: log, error: log } });
      await Promise.all([client.ready(), server.ready()]);
    });
    afterAll(() => cleanup.run());

    function connect(options?: LocalOptions): OsloMessaging {
      const messaging = bus.connect(options);
      cleanup.add(() => messaging.close());
      return messaging;
    }

    function serve(topic: string, handlers: Record<string, Handler>, on = server, host = 'host1') {
      return on.serve({ topic, host, version: '1.5', handlers });
    }

    describe('call', () => {
      test('is answered with what the handler returns', async () => {
        const target = newTopic('1.2');
        const seen: Incoming[] = [];
        await serve(target.topic, {
          add: async (message) => {
            seen.push(message);
            return Number(message.args.a) + Number(message.args.b);
          },
        });
        expect(await client.call(target, 'add', { a: 1, b: 2 }, wait)).toBe(3);
        expect(seen[0]).toMatchObject({ method: 'add', version: '1.2' });
      });

      test('reaches one server of the topic by its host', async () => {
        const { topic, version } = newTopic();
        await serve(topic, { who: () => 'host1' });
        await serve(topic, { who: () => 'host2' }, connect(), 'host2');
        for (const host of ['host1', 'host2']) {
          expect(await client.call({ topic, version, server: host }, 'who', {}, wait)).toBe(host);
        }
      });

      test('without a host goes to the servers in turn', async () => {
        const target = newTopic();
        await serve(target.topic, { who: () => 'host1' });
        await serve(target.topic, { who: () => 'host2' }, connect(), 'host2');
        const answers: string[] = [];
        for (let n = 0; n < 10; n++) answers.push(await client.call(target, 'who', {}, wait));
        expect(answers.filter((host) => host === 'host1')).toHaveLength(5);
      });

      test('one process serves several topics, each in its version', async () => {
        const topics: [Target, string][] = [
          [newTopic('1.10'), '1.10'],
          [newTopic('1.12'), '1.12'],
          [newTopic('1.2'), '1.2'],
        ];
        for (const [{ topic }, version] of topics) {
          await server.serve({ topic, host: 'host1', version, handlers: { which: () => topic } });
        }
        for (const [target] of topics) {
          for (const version of ['1.0', '1.2', target.version]) {
            expect(await client.call({ ...target, version }, 'which', {}, wait)).toBe(target.topic);
          }
          const [major, minor] = target.version.split('.').map(Number);
          for (const version of [`${major}.${(minor ?? 0) + 1}`, '2.0']) {
            await expect(client.call({ ...target, version }, 'which', {}, wait)).rejects.toMatchObject({
              remoteClass: 'UnsupportedVersion',
            });
          }
        }
      });

      test('a program may call itself', async () => {
        const target = newTopic();
        await serve(target.topic, { who: () => 'me' });
        expect(await server.call(target, 'who', {}, wait)).toBe('me');
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

      test('nobody shares an object with anybody', async () => {
        const target = newTopic();
        const seen: Incoming[] = [];
        const kept = { list: [1] };
        await serve(target.topic, {
          keep: (message) => {
            seen.push(message);
            return kept;
          },
        });
        const args = { nested: { n: 1 }, none: undefined, when: new Date(0) };
        const asked = client.call<typeof kept>(target, 'keep', args, wait);
        args.nested.n = 2;
        expect(seen).toEqual([]);
        (await asked).list.push(2);
        expect(seen[0]?.args).toEqual({ nested: { n: 1 }, when: '1970-01-01T00:00:00.000Z' });
        expect(kept).toEqual({ list: [1] });
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

      test('that timed out is not handled by a server that comes later', async () => {
        const target = newTopic();
        const handled: string[] = [];
        const handlers = { late: () => void handled.push('late'), now: () => void handled.push('now') };
        await (await serve(target.topic, handlers)).close();
        await expect(client.call(target, 'late', {}, { timeout: 200 })).rejects.toMatchObject({
          code: 'MESSAGING_TIMEOUT',
        });
        await serve(target.topic, handlers);
        await client.call(target, 'now', {}, wait);
        expect(handled).toEqual(['now']);
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
        const options = { ...wait, signal: controller.signal };
        await expect(client.call(target, 'never', {}, options)).rejects.toThrow('enough');
        gate.resolve();
        await expect(client.call(target, 'never', {}, options)).rejects.toThrow('enough');
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
        expect(error).toMatchObject({
          code: 'MESSAGING_REMOTE_ERROR',
          message: `${target.topic} answered fail with RangeError: too far`,
          remoteClass: 'RangeError',
          remoteModule: 'astara',
          remoteMessage: 'too far',
          retry: 'retry',
        });
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

      test('what cannot be sent is told to the sender', async () => {
        const target = newTopic();
        await serve(target.topic, {});
        await expect(client.call(target, 'x', { n: 1n }, wait)).rejects.toThrow(TypeError);
        await expect(client.cast(target, 'x', { n: 1n })).rejects.toThrow(TypeError);
      });
    });

    describe('cast', () => {
      test('to the topic reaches one server, a fanout reaches all', async () => {
        const { topic, version } = newTopic();
        const got: string[] = [];
        for (const [index, messaging] of [server, connect(), connect()].entries()) {
          await serve(topic, { note: ({ args }) => void got.push(`${index}:${args.n}`) }, messaging, `host${index}`);
        }
        await client.cast({ topic, version }, 'note', { n: 'one' });
        await client.cast({ topic, version, fanout: true }, 'note', { n: 'all' });
        await client.cast({ topic, version, server: 'host2' }, 'note', { n: 'host' });
        await until('all are there', () => got.length === 5);
        expect(got.filter((entry) => entry.endsWith('all')).sort()).toEqual(['0:all', '1:all', '2:all']);
        expect(got).toContain('2:host');
      });

      test('many keep their order, and the sender goes on before the first is handled', async () => {
        const target = newTopic();
        const got: unknown[] = [];
        await serve(target.topic, { note: ({ args }) => void got.push(args.n) });
        const numbers = Array.from({ length: 500 }, (_, n) => n);
        const sent = numbers.map((n) => client.cast(target, 'note', { n }));
        expect(got).toEqual([]);
        await Promise.all(sent);
        await until('all are there', () => got.length === numbers.length);
        expect(got).toEqual(numbers);
      });

      test('waits in the queue for a server that is away', async () => {
        const target = newTopic();
        const got: unknown[] = [];
        const handlers = { note: ({ args }: Incoming) => void got.push(args.n) };
        await (await serve(target.topic, handlers)).close();
        for (const n of [1, 2, 3]) await client.cast(target, 'note', { n });
        await until('they are in the queue', async () => (await bus.depths()).get(target.topic) === 3);
        await serve(target.topic, handlers);
        await until('all are there', () => got.length === 3);
        expect(got).toEqual([1, 2, 3]);
      });

      test('a fanout to nobody is no error', async () => {
        await client.cast({ ...newTopic(), fanout: true }, 'x', {});
      });

      test('a topic without a queue is an error after the time for it', async () => {
        const impatient = connect({ missingConsumerTimeout: 200 });
        await expect(impatient.cast(newTopic(), 'x', {})).rejects.toMatchObject({ code: 'MESSAGING_NO_DESTINATION' });
      });
    });

    describe('context', () => {
      const context: RequestContext = {
        requestId: 'req-7b7c58a0-5c6f-4a29-bb6d-97959ec7de12',
        timestamp: Date.UTC(2026, 10, 20, 20, 37, 15, 283),
        projectId: 'f2a2dfdfc0d343c9831c3b8fb0269427',
        projectName: 'demo',
        userId: '77533d095974468fb3d1fbc155aaad23',
        userName: 'alice',
        roles: ['member', 'reader'],
        isAdmin: false,
      };

      test('comes along with calls, casts and notifications; a token does not', async () => {
        const target = newTopic();
        const seen: RequestContext[] = [];
        const note = (message: { context: RequestContext }) => void seen.push(message.context);
        await serve(target.topic, { note });
        const topic = `n-${target.topic}`;
        const topics = [`${topic}.info`];
        await server.listen({ exchange: 'neutron', topics, queue: `q-${topic}`, handler: note });
        const notifier = connect({ notificationTopics: [topic] });

        const withToken = { ...context, authToken: 's3cret', auth_token: 's3cret' };
        await client.call(target, 'note', {}, { ...wait, context: withToken });
        await client.cast(target, 'note', {}, { context: withToken });
        await notifier.notify({ eventType: 'x', publisherId: 'network.h', payload: {}, context: withToken });
        await until('all are there', () => seen.length === 3);
        expect(seen).toEqual([context, context, context]);
      });

      test('without one, the process speaks for itself', async () => {
        const target = newTopic();
        const seen: RequestContext[] = [];
        await serve(target.topic, { note: (message) => void seen.push(message.context) });
        await client.call(target, 'note', {}, wait);
        await client.call(target, 'note', {}, { ...wait, context: { userId: 'u' } });
        const requestId = expect.stringMatching(/^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        expect(seen).toEqual([
          { requestId, isAdmin: true },
          { requestId, userId: 'u', isAdmin: false },
        ]);
      });
    });

    describe('notifications', () => {
      test('each listener has its own; by exchange, topic and priority', async () => {
        const topic = newTopic().topic;
        const got: Record<string, string[]> = { a: [], b: [], errors: [], elsewhere: [] };
        const listen = (who: string, exchange: string, key: string) =>
          server.listen({
            exchange,
            topics: [key],
            queue: `${topic}-${who}`,
            handler: ({ eventType }) => void got[who]?.push(eventType),
          });
        await listen('a', 'neutron', `${topic}.info`);
        await listen('b', 'neutron', `${topic}.info`);
        await listen('errors', 'neutron', `${topic}.error`);
        await listen('elsewhere', 'nova', `${topic}.info`);
        const publisher = { publisherId: 'network.host1', payload: {} };
        const [neutron, nova] = ['neutron', 'nova'].map((exchange) =>
          connect({ exchange, notificationTopics: [topic] }),
        );
        await neutron?.notify({ eventType: 'router.create.start', ...publisher });
        await neutron?.notify({ eventType: 'router.create.error', priority: 'ERROR', ...publisher });
        await nova?.notify({ eventType: 'instance.create.end', ...publisher });
        await neutron?.notify({ eventType: 'router.create.end', ...publisher });
        const count = () => Object.values(got).flat().length;
        await until('all are there', () => count() === 6);
        expect(got).toEqual({
          a: ['router.create.start', 'router.create.end'],
          b: ['router.create.start', 'router.create.end'],
          errors: ['router.create.error'],
          elsewhere: ['instance.create.end'],
        });
      });

      test('arrive whole, and in order', async () => {
        const topics = [newTopic().topic, newTopic().topic];
        const notifier = connect({ notificationTopics: topics });
        const got = new Map<string, Notification[]>(topics.map((topic) => [topic, []]));
        for (const topic of topics) {
          await client.listen({
            exchange: 'neutron',
            topics: [`${topic}.info`],
            queue: `q-${topic}`,
            handler: (notification) => void got.get(topic)?.push(notification),
          });
        }
        const began = Date.now();
        const numbers = Array.from({ length: 100 }, (_, n) => n);
        await Promise.all(
          numbers.map((n) =>
            notifier.notify({ eventType: 'router.update.end', publisherId: 'network.h', payload: { router: { n } } }),
          ),
        );
        await until('all are there', () => [...got.values()].every(({ length }) => length === numbers.length));
        for (const list of got.values()) {
          expect(list.map(({ payload }) => payload)).toEqual(numbers.map((n) => ({ router: { n } })));
          expect(list[0]).toMatchObject({ eventType: 'router.update.end', publisherId: 'network.h', priority: 'INFO' });
          expect(list[0]?.timestamp).toBeGreaterThanOrEqual(began);
          expect(list[0]?.timestamp).toBeLessThanOrEqual(Date.now());
        }
      });

      test('to nobody are published all the same, and leave no queue behind', async () => {
        const { topic } = newTopic();
        await connect({ notificationTopics: [topic] }).notify({ eventType: 'x', publisherId: 'p', payload: {} });
        expect([...(await bus.depths()).keys()].filter((queue) => queue.includes(topic))).toEqual([]);
      });

      test('wait while the listener is away; one that fails does not stop the next', async () => {
        const { topic } = newTopic();
        const got: string[] = [];
        const listener = {
          exchange: 'neutron',
          topics: [`${topic}.info`],
          queue: `q-${topic}`,
          handler: ({ eventType }: Notification) => {
            got.push(eventType);
            throw new Error('a handler may fail');
          },
        };
        const notifier = connect({ notificationTopics: [topic] });
        await (await server.listen(listener)).close();
        for (const eventType of ['a', 'b']) await notifier.notify({ eventType, publisherId: 'p', payload: {} });
        await server.listen(listener);
        await until('both are there', () => got.length === 2);
        expect(got).toEqual(['a', 'b']);
      });
    });

    describe('a broker that goes down and comes back without its queues', () => {
      test('is told; what is sent meanwhile arrives afterwards; a handler under way answers', async () => {
        const target = newTopic();
        const topic = `n-${target.topic}`;
        const [asking, answering] = [connect({ notificationTopics: [topic] }), connect()];
        const events: string[] = [];
        asking.on('disconnected', () => events.push('disconnected'));
        asking.on('connected', () => events.push('connected'));
        await asking.ready();
        const gate = Promise.withResolvers<string>();
        let handled = 0;
        const slow = () => {
          handled += 1;
          return gate.promise;
        };
        await serve(target.topic, { slow, echo: ({ args }) => args.n }, answering);
        const heard: string[] = [];
        const handler = ({ eventType }: Notification) => void heard.push(eventType);
        await answering.listen({ exchange: 'neutron', topics: [`${topic}.info`], queue: `q-${topic}`, handler });
        const underway = asking.call(target, 'slow', {}, { ...wait, idempotent: true });
        await until('the handler runs', () => handled === 1);

        await bus.down();
        await until('both know', () => !asking.connected && !answering.connected);
        await expect(asking.call(target, 'echo', {}, { timeout: 100 })).rejects.toMatchObject({
          code: 'MESSAGING_DISCONNECTED',
        });
        await expect(connect({ missingConsumerTimeout: 100 }).cast(target, 'echo', {})).rejects.toMatchObject({
          code: 'MESSAGING_DISCONNECTED',
        });
        await expect(asking.ready(AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'MESSAGING_UNREACHABLE' });
        const meanwhile = asking.call(target, 'echo', { n: 1 }, wait);
        gate.resolve('kept');
        await bus.up();
        await Promise.all([asking.ready(), answering.ready()]);
        await asking.notify({ eventType: 'after', publisherId: 'p', payload: {} });

        expect(await meanwhile).toBe(1);
        expect(await underway).toBe('kept');
        expect(handled).toBe(1);
        await until('the listener is back', () => heard.length === 1);
        expect(events).toEqual(['connected', 'disconnected', 'connected']);
      });

      test('a request lost with its queue: an idempotent call is sent again, another is not', async () => {
        const target = newTopic();
        let handled = 0;
        const handlers = { echo: () => `answered ${++handled}` };
        await (await serve(target.topic, handlers)).close();
        const harmless = client.call(target, 'echo', {}, { ...wait, idempotent: true });
        const enough = new AbortController();
        const other = client.call(target, 'echo', {}, { ...wait, signal: enough.signal }).catch((error) => error);
        await until('both are in the queue', async () => (await bus.depths()).get(target.topic) === 2);
        await bus.down();
        await bus.up();
        await serve(target.topic, handlers);
        expect(await harmless).toBe('answered 1');
        // Whether the other was carried out is not known: had it been sent again, it would be in the queue before this one.
        expect(await client.call(target, 'echo', {}, wait)).toBe('answered 2');
        enough.abort('gave up');
        expect(await other).toBe('gave up');
      });

      test('connected while it was down: serves as soon as it is up', async () => {
        const target = newTopic();
        await bus.down();
        const [asking, answering] = [connect(), connect()];
        const served = serve(target.topic, { echo: () => 'up' }, answering);
        const answer = asking.call(target, 'echo', {}, wait);
        await expect(asking.ready(AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'MESSAGING_UNREACHABLE' });
        await bus.up();
        await served;
        expect(await answer).toBe('up');
      });
    });

    describe('close', () => {
      test('fails calls under way, waits for handlers, and deletes the queues that are ours alone', async () => {
        const { topic, version } = newTopic();
        const [asking, answering] = [connect(), connect()];
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

        await asking.ready();
        const before = [...(await bus.depths()).keys()].filter((queue) => queue.startsWith('reply_'));
        const failed = asking.call({ topic, version }, 'slow', {}, wait).catch((reason: unknown) => reason);
        await asking.close();
        expect(await failed).toMatchObject({ code: 'MESSAGING_CLOSED' });
        const queues = [...(await bus.depths()).keys()];
        expect(queues.filter((queue) => queue.startsWith(`${topic}_fanout_`))).toEqual([]);
        expect(queues.filter((queue) => queue.startsWith('reply_'))).toHaveLength(before.length - 1);
      });

      test('nothing works any more, and closing again is no trouble', async () => {
        const closed = connect();
        await closed.ready();
        await closed.close();
        await closed.close();
        const target = newTopic();
        expect(closed.connected).toBe(false);
        for (const attempt of [
          () => closed.call(target, 'x', {}, wait),
          () => closed.cast(target, 'x', {}),
          () => closed.notify({ eventType: 'x', publisherId: 'p', payload: {} }),
          () => serve(target.topic, {}, closed),
          () => closed.ready(),
        ]) {
          await expect(attempt()).rejects.toMatchObject({ code: 'MESSAGING_CLOSED' });
        }
      });

      test('a server that is closed alone hears no more; the others go on', async () => {
        const { topic, version } = newTopic();
        const first = await serve(topic, { who: () => 'host1' });
        await serve(topic, { who: () => 'host2' }, connect(), 'host2');
        await first.close();
        for (let n = 0; n < 4; n++) expect(await client.call({ topic, version }, 'who', {}, wait)).toBe('host2');
      });
    });
  });
}
