import type { QueueSettings } from './options.ts';

/** An AMQP queue as we declare it. Must equal, in all fields, what oslo.messaging declares under the same settings. */
export interface QueueSpec {
  readonly queue: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: Readonly<Record<string, string | number>>;
}

export interface ExchangeSpec {
  readonly exchange: string;
  readonly type: 'topic' | 'fanout';
  readonly durable: boolean;
  readonly autoDelete: boolean;
}

/** The control exchange of a service. */
export function topicExchange(exchange: string, settings: QueueSettings): ExchangeSpec {
  return { exchange, type: 'topic', durable: durable(settings), autoDelete: settings.autoDelete };
}

/** Request queue of a topic (`l3_agent`, `l3_agent.host1`). */
export function topicQueue(queue: string, settings: QueueSettings): QueueSpec {
  return {
    queue,
    durable: durable(settings),
    autoDelete: settings.autoDelete,
    arguments: { ...mirrored(settings), ...(settings.quorum ? quorum(settings) : {}) },
  };
}

export function fanoutExchange(topic: string, settings: QueueSettings): ExchangeSpec {
  return {
    exchange: `${topic}_fanout`,
    type: 'fanout',
    durable: settings.transientQuorum || settings.streamFanout,
    autoDelete: true,
  };
}

/** Reply queue, or one listener's queue on a fanout exchange: it lives as long as its listener, plus the ttl. */
export function transientQueue(queue: string, settings: QueueSettings): QueueSpec {
  return {
    queue,
    durable: settings.transientQuorum,
    autoDelete: false,
    arguments: { ...mirrored(settings), ...(settings.transientQuorum ? quorum(settings) : {}), ...expires(settings) },
  };
}

/**
 * Queue for notifications, ours alone. It outlives a restart of the process, not a process that never comes back:
 * nobody else would empty it.
 */
export function notificationQueue(queue: string, settings: QueueSettings): QueueSpec {
  return {
    queue,
    durable: durable(settings),
    autoDelete: false,
    arguments: { ...(settings.quorum ? quorum(settings) : {}), ...expires(settings) },
  };
}

function durable(settings: QueueSettings): boolean {
  return settings.durable || settings.quorum;
}

function mirrored(settings: QueueSettings): Record<string, string> {
  return settings.mirrored ? { 'x-ha-policy': 'all' } : {};
}

function expires(settings: QueueSettings): Record<string, number> {
  return settings.transientTtl > 0 ? { 'x-expires': settings.transientTtl } : {};
}

function quorum(settings: QueueSettings): Record<string, string | number> {
  const { deliveryLimit, maxMemoryLength, maxMemoryBytes } = settings;
  return {
    'x-queue-type': 'quorum',
    ...(deliveryLimit > 0 ? { 'x-delivery-limit': deliveryLimit } : {}),
    ...(maxMemoryLength > 0 ? { 'x-max-in-memory-length': maxMemoryLength } : {}),
    ...(maxMemoryBytes > 0 ? { 'x-max-in-memory-bytes': maxMemoryBytes } : {}),
  };
}

/** Which option decides an argument that RabbitMQ found different; for MESSAGING_TOPOLOGY_MISMATCH. */
export function optionOf(argument: string, name: string): string {
  const transient = /^reply_|_fanout/.test(name);
  switch (argument) {
    case 'durable':
      return transient ? 'rabbit_transient_quorum_queue' : 'amqp_durable_queues or rabbit_quorum_queue';
    case 'auto_delete':
      return 'amqp_auto_delete';
    case 'type':
      return 'control_exchange';
    case 'x-queue-type':
      return transient ? 'rabbit_transient_quorum_queue' : 'rabbit_quorum_queue';
    case 'x-expires':
      return 'rabbit_transient_queues_ttl';
    case 'x-delivery-limit':
      return 'rabbit_quorum_delivery_limit';
    case 'x-max-in-memory-length':
      return 'rabbit_quorum_max_memory_length';
    case 'x-max-in-memory-bytes':
      return 'rabbit_quorum_max_memory_bytes';
    default:
      return `the option behind ${argument}`;
  }
}
