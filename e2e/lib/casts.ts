import { decodeEnvelope } from '@astara/messaging/envelope.ts';
import { Connection, type Consumer } from 'rabbitmq-client';
import { LAB_HOST, TRANSPORT_URL } from './lab.ts';

/** What Neutron tells an agent of this host, overheard on a queue of our own. */
export class Casts {
  readonly #connection = new Connection(TRANSPORT_URL.replace(/^rabbit:/, 'amqp:'));
  readonly #heard: { readonly method: string; readonly at: number }[] = [];

  readonly #consumer: Consumer;

  private constructor(topic: string) {
    this.#consumer = this.#connection.createConsumer(
      {
        queueOptions: { exclusive: true },
        queueBindings: [{ exchange: 'neutron', routingKey: `${topic}.${LAB_HOST}` }],
        noAck: true,
      },
      ({ body }) => {
        this.#heard.push({ method: String(decodeEnvelope(body).method), at: performance.now() });
      },
    );
  }

  /** Resolves when nothing is missed any more. `topic`: `dhcp_agent`, `l3_agent`. */
  static async overhear(topic: string): Promise<Casts> {
    const casts = new Casts(topic);
    await new Promise<void>((resolve, reject) => {
      casts.#consumer.once('ready', resolve);
      casts.#consumer.once('error', reject);
    });
    return casts;
  }

  /** When those of a method came: milliseconds on the monotonic clock, in order. */
  times(method: string): number[] {
    return this.#heard.filter((cast) => cast.method === method).map(({ at }) => at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close();
    await this.#connection.close();
  }
}
