import type { OutgoingNotification } from './contract.ts';
import { deliver, type Parcel, undelivered } from './delivery.ts';
import { encodeMessage, newId } from './envelope.ts';
import type { Link } from './link.ts';
import { notificationMessage } from './messages.ts';
import type { CompiledOptions } from './options.ts';
import { topicExchange } from './queue-arguments.ts';
import { Deadline } from './wait.ts';

/** Publishes notifications. */
export class Notifier {
  readonly #options: CompiledOptions;
  readonly #link: Link;
  readonly #closing: AbortSignal;

  constructor(options: CompiledOptions, link: Link, closing: AbortSignal) {
    this.#options = options;
    this.#link = link;
    this.#closing = closing;
  }

  async notify(notification: OutgoingNotification): Promise<void> {
    const message = notificationMessage(notification);
    const level = String(message.priority).toLowerCase();
    await Promise.all(this.#options.notificationTopics.map((topic) => this.#publish(`${topic}.${level}`, message)));
  }

  async #publish(routingKey: string, message: Readonly<Record<string, unknown>>): Promise<void> {
    const { exchange, queues, missingConsumerTimeout: timeout } = this.#options;
    using deadline = new Deadline(timeout, this.#closing);
    const id = newId();
    const parcel: Parcel = {
      message: { exchange, routingKey, text: encodeMessage({ ...message, _unique_id: id }), id, mandatory: false },
      // Otherwise it is there since we connected.
      ...(queues.autoDelete ? { exchange: topicExchange(exchange, queues) } : {}),
      expires: false,
      progress: 'unsent',
    };
    try {
      await deliver(this.#link, parcel, deadline);
    } catch (error) {
      const call = { topic: routingKey, method: String(message.event_type) };
      throw deadline.expired ? undelivered(parcel, 'The notification', call, timeout) : error;
    }
  }
}
