import { Connection } from 'rabbitmq-client';
import type { Target } from '../contract.ts';
import { encodeMessage, type Message, newId, wrapEnvelope } from '../envelope.ts';
import { connectMessaging, type RabbitMessaging } from '../messaging.ts';
import type { MessagingOptions, RabbitOptions } from '../options.ts';
import { password, type TestBroker, user } from './broker.ts';

/** Things to close after a test file, last first. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}

/** Reconnects quickly: a test waits for it. */
export function quick(
  broker: TestBroker,
  options: Partial<MessagingOptions> = {},
  rabbit: RabbitOptions = {},
): RabbitMessaging {
  return connectMessaging({
    transportUrl: broker.url,
    rabbit: { rabbit_retry_interval: 0.2, rabbit_retry_backoff: 0.1, rabbit_interval_max: 0.5, ...rabbit },
    ...options,
  });
}

/** Plain AMQP, for what no well-behaved peer does. */
export function rawConnection(broker: TestBroker): Connection {
  const connection = new Connection({
    hostname: '127.0.0.1',
    port: broker.port,
    username: user,
    password,
    noDelay: true,
    retryLow: 100,
    retryHigh: 500,
  });
  connection.on('error', () => undefined);
  return connection;
}

export async function publishRaw(connection: Connection, exchange: string, routingKey: string, body: Buffer | string) {
  const publisher = connection.createPublisher({ confirm: true, maxAttempts: 5 });
  await publisher.send(
    { exchange, routingKey, contentType: 'application/json', contentEncoding: 'utf-8' },
    Buffer.from(body),
  );
  await publisher.close();
}

/** The body of an AMQP message. */
export function encodeEnvelope(message: Message): Buffer {
  return wrapEnvelope(encodeMessage(message));
}

/** A notification as nova or neutron publishes it. */
export function notificationBody(eventType: string, payload: Record<string, unknown>, uniqueId = newId()): Buffer {
  return encodeEnvelope({
    message_id: newId(),
    publisher_id: 'network.lab1',
    event_type: eventType,
    priority: 'INFO',
    payload,
    timestamp: new Date().toISOString().replace('T', ' ').replace('Z', '000'),
    _unique_id: uniqueId,
    _context_auth_token: 'a-live-token',
  });
}

/** A topic of its own for each test. */
export function newTopic(version = '1.0'): Target & { readonly topic: string } {
  return { topic: `t-${newId().slice(0, 8)}`, version };
}
