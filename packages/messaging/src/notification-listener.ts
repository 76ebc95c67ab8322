import type { ListenerOptions, Subscription } from './contract.ts';
import type { Counts } from './counts.ts';
import { Dedup } from './dedup.ts';
import { errors } from './errors.ts';
import type { Link, Participant } from './link.ts';
import { readNotification } from './messages.ts';
import type { CompiledOptions } from './options.ts';
import { notificationQueue, topicExchange } from './queue-arguments.ts';
import type { Consumer, Delivery, Session, Source } from './session.ts';

/**
 * Hears notifications on a queue of its own, bound to the publisher's exchange. The queue stays when the listener closes,
 * so that a restart misses nothing; RabbitMQ deletes it when nobody comes back (rabbit_transient_queues_ttl).
 */
export class NotificationListener implements Participant, Subscription {
  readonly #options: CompiledOptions;
  readonly #link: Link;
  readonly #counts: Counts;
  readonly #listener: ListenerOptions;
  readonly #source: Source;
  readonly #seen = new Dedup();
  #consumer: Consumer | undefined;

  constructor(options: CompiledOptions, link: Link, counts: Counts, listener: ListenerOptions) {
    const { exchange, topics, queue } = listener;
    if (topics.includes(queue)) {
      const problem = `${queue} is the queue that all consumers of ${queue} share; ours must have another name`;
      throw errors.make('MESSAGING_BAD_OPTION', { option: 'queue', problem });
    }
    this.#options = options;
    this.#link = link;
    this.#counts = counts;
    this.#listener = listener;
    this.#source = {
      queue: notificationQueue(queue, options.queues),
      bindings: topics.map((routingKey) => ({ exchange: topicExchange(exchange, options.queues), routingKey })),
    };
  }

  async attach(session: Session): Promise<void> {
    const { prefetch } = this.#options;
    this.#consumer = await session.consume([this.#source], prefetch, (delivery) => this.#receive(delivery));
  }

  async close(): Promise<void> {
    this.#link.remove(this);
    await this.#consumer?.stop();
  }

  #receive(delivery: Delivery): void {
    const { log } = this.#options;
    try {
      const { notification, uniqueId } = readNotification(delivery.body);
      if (this.#seen.seen(uniqueId)) {
        this.#counts.duplicates += 1;
      } else {
        this.#counts.notifications += 1;
        this.#notify(notification);
      }
    } catch (error) {
      this.#counts.malformed += 1;
      log.warn({ queue: delivery.queue, error: String(error) }, 'dropped a malformed message');
    }
    // After the handler: a message in the hands of a process that dies is delivered to its successor.
    delivery.ack();
  }

  #notify(notification: Parameters<ListenerOptions['handler']>[0]): void {
    try {
      this.#listener.handler(notification);
    } catch (error) {
      this.#counts.failures += 1;
      this.#options.log.error({ eventType: notification.eventType, err: error }, 'a notification handler failed');
    }
  }
}
