import type { Channel } from 'rabbitmq-client';
import { wrapEnvelope } from './envelope.ts';
import type { Outgoing } from './session.ts';

/** Publishes with confirmation on one channel, until that channel ends. */
export class Publisher {
  readonly #channel: Channel;
  readonly #returned = new Set<string>();
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #closers: (() => void)[] = [];

  static async open(channel: Channel): Promise<Publisher> {
    await channel.confirmSelect();
    return new Publisher(channel);
  }

  private constructor(channel: Channel) {
    this.#channel = channel;
    let cause: unknown = new Error('the channel was closed');
    channel.on('error', (error) => {
      cause = error;
    });
    channel.on('basic.return', (message) => {
      if (message.messageId !== undefined) this.#returned.add(message.messageId);
    });
    channel.on('close', () => {
      for (const reject of this.#waiting) reject(cause);
      for (const closer of this.#closers) closer();
    });
  }

  onClose(closer: () => void): void {
    if (this.#channel.active) this.#closers.push(closer);
    else closer();
  }

  /** See `Session.publish`; resolves with the broker's confirmation. */
  async publish(message: Outgoing): Promise<boolean> {
    const { exchange, routingKey, id, expiration, mandatory } = message;
    // The library forgets a confirmation that is awaited just when the connection breaks: this never waits in vain.
    const broken = Promise.withResolvers<never>();
    this.#waiting.add(broken.reject);
    try {
      const confirmed = this.#channel.basicPublish(
        {
          exchange,
          routingKey,
          mandatory,
          messageId: id,
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          durable: true,
          priority: 0,
          headers: {},
          ...(expiration === undefined ? {} : { expiration: String(Math.max(1, Math.ceil(expiration))) }),
        },
        wrapEnvelope(message.text),
      );
      await Promise.race([confirmed, broken.promise]);
    } finally {
      this.#waiting.delete(broken.reject);
    }
    if (!mandatory) return true;
    // The return comes before the confirmation, but the library emits it one turn of the loop later.
    await new Promise(setImmediate);
    return !this.#returned.delete(id);
  }
}
