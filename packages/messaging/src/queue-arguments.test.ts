import { expect, test } from 'vitest';
import { compileOptions, type RabbitOptions } from './options.ts';
import { fanoutExchange, notificationQueue, topicExchange, topicQueue, transientQueue } from './queue-arguments.ts';

/** durable, auto-delete and arguments: topic exchange, topic queue, fanout exchange, reply or fanout queue. */
function shapes(rabbit: RabbitOptions) {
  const { queues } = compileOptions({ transportUrl: 'rabbit://h/', rabbit });
  const exchanges = [topicExchange('neutron', queues), fanoutExchange('t', queues)];
  const [topic, fanout] = exchanges.map(({ durable, autoDelete }) => [durable, autoDelete]);
  const [request, transient, notifications] = [
    topicQueue('t', queues),
    transientQueue('reply_1', queues),
    notificationQueue('n', queues),
  ].map((queue) => [queue.durable, queue.autoDelete, queue.arguments]);
  return { topic, fanout, request, transient, notifications };
}

test('as shipped', () => {
  expect(shapes({})).toEqual({
    topic: [false, false],
    fanout: [false, true],
    request: [false, false, {}],
    transient: [false, false, { 'x-expires': 1_800_000 }],
    notifications: [false, false, { 'x-expires': 1_800_000 }],
  });
});

test('quorum queues for requests only', () => {
  expect(shapes({ rabbit_quorum_queue: true, rabbit_quorum_delivery_limit: 5 })).toMatchObject({
    topic: [true, false],
    fanout: [false, true],
    request: [true, false, { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 }],
    transient: [false, false, { 'x-expires': 1_800_000 }],
  });
});

test('quorum queues for everything, with a stream for fanouts', () => {
  const rabbit = { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true, rabbit_stream_fanout: true };
  expect(shapes({ ...rabbit, rabbit_transient_queues_ttl: 60 })).toMatchObject({
    fanout: [true, true],
    transient: [true, false, { 'x-queue-type': 'quorum', 'x-expires': 60_000 }],
  });
});

test('durable, auto-deleted, mirrored', () => {
  const rabbit = { amqp_durable_queues: true, amqp_auto_delete: true, rabbit_ha_queues: true };
  expect(shapes({ ...rabbit, rabbit_transient_queues_ttl: 0 })).toMatchObject({
    topic: [true, true],
    fanout: [false, true],
    request: [true, true, { 'x-ha-policy': 'all' }],
    transient: [false, false, { 'x-ha-policy': 'all' }],
    notifications: [true, false, {}],
  });
});
