import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Notification } from './contract.ts';
import type { RabbitMessaging } from './messaging.ts';
import { TestBroker } from './testing/broker.ts';
import { Cleanup, notificationBody, quick, rawConnection } from './testing/peers.ts';
import { until } from './testing/until.ts';

const cleanup = new Cleanup();
let broker: TestBroker;
let messaging: RabbitMessaging;

beforeAll(async () => {
  broker = await TestBroker.start();
  cleanup.add(() => broker.remove());
  messaging = quick(broker);
  cleanup.add(() => messaging.close());
  await messaging.ready();
});
afterAll(() => cleanup.run());

test('a queue of our own hears all; the consumer of notifications.info hears all, too; doubles and garbage are dropped', async () => {
  const raw = rawConnection(broker);
  cleanup.add(() => raw.close());
  // As neutron-server and ceilometer do.
  const others: string[] = [];
  const other = raw.createConsumer(
    {
      queue: 'notifications.info',
      queueOptions: { durable: false },
      exchanges: [{ exchange: 'neutron', type: 'topic' }],
      queueBindings: [{ exchange: 'neutron', routingKey: 'notifications.info' }],
    },
    ({ body }) => void others.push(JSON.parse(JSON.parse(String(body))['oslo.message']).event_type),
  );
  cleanup.add(() => other.close());
  await new Promise((resolve) => other.once('ready', resolve));

  const ours: Notification[] = [];
  const listener = {
    exchange: 'neutron',
    topics: ['notifications.info', 'notifications.error'],
    queue: 'at-messaging-notifications',
    handler: (notification: Notification) => {
      ours.push(notification);
      if (notification.eventType === 'event.1') throw new Error('a handler may fail');
    },
  };
  const subscription = await messaging.listen(listener);
  const publisher = raw.createPublisher({ confirm: true });
  cleanup.add(() => publisher.close());
  const publish = (routingKey: string, body: Buffer) =>
    publisher.send(
      { exchange: 'neutron', routingKey, contentType: 'application/json', contentEncoding: 'utf-8' },
      body,
    );

  const double = notificationBody('event.2', {});
  await publish('notifications.info', notificationBody('event.0', { router: { id: 'r' } }));
  await publish('notifications.info', notificationBody('event.1', {}));
  await publish('notifications.info', double);
  await publish('notifications.info', double);
  await publish('notifications.error', Buffer.from('{"oslo.version":"2.0"'));
  await publish('notifications.error', notificationBody('event.3', {}));
  await until('ours are there', () => ours.length === 4);
  expect(ours.map(({ eventType }) => eventType)).toEqual(['event.0', 'event.1', 'event.2', 'event.3']);
  expect(ours[0]).toMatchObject({ publisherId: 'network.lab1', priority: 'INFO', payload: { router: { id: 'r' } } });
  expect(Math.abs(Date.now() - (ours[0]?.timestamp ?? 0))).toBeLessThan(10_000);
  expect(JSON.stringify(ours)).not.toContain('a-live-token');
  expect(messaging.counts).toMatchObject({ duplicates: 1, malformed: 1, notifications: 4, failures: 1 });
  await until('the other consumer has all of its own', () => others.length === 4);
  expect(others).toEqual(['event.0', 'event.1', 'event.2', 'event.2']);

  // Closed and opened again (a restart of the process): what came meanwhile was kept.
  await subscription.close();
  await publish('notifications.info', notificationBody('event.4', {}));
  const again = await messaging.listen(listener);
  await until('it is there', () => ours.length === 5);
  expect(ours[4]?.eventType).toBe('event.4');
  await again.close();
});

test('the shared queue itself is refused', async () => {
  const listener = {
    exchange: 'neutron',
    topics: ['notifications.info'],
    queue: 'notifications.info',
    handler: () => {},
  };
  await expect(messaging.listen(listener)).rejects.toMatchObject({ code: 'MESSAGING_BAD_OPTION' });
});

test('latency: published to handled', async () => {
  const raw = rawConnection(broker);
  cleanup.add(() => raw.close());
  const channel = await raw.acquire();
  cleanup.add(() => channel.close());
  const times: number[] = [];
  let sent = 0;
  const subscription = await messaging.listen({
    exchange: 'neutron',
    topics: ['notifications.latency'],
    queue: 'at-messaging-latency',
    handler: () => void times.push(performance.now() - sent),
  });
  for (let n = 0; n < 300; n++) {
    const body = notificationBody('event', { floatingip: { n, description: 'x'.repeat(1500) } });
    sent = performance.now();
    await channel.basicPublish(
      { exchange: 'neutron', routingKey: 'notifications.latency', contentEncoding: 'utf-8' },
      body,
    );
    while (times.length <= n) await new Promise(setImmediate);
  }
  await subscription.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]?.toFixed(2);
  console.log(`notification to handler: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms`);
  expect(times[150]).toBeLessThan(20);
});
