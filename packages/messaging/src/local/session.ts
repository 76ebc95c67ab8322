import type { AstaraError } from '@astara/model/error.ts';
import { translate } from '../amqp-error.ts';
import { errors } from '../errors.ts';
import type { ExchangeSpec } from '../queue-arguments.ts';
import type { Consumer, Outgoing, Session, Source } from '../session.ts';
import type { LocalBroker } from './broker.ts';
import type { Receive } from './queue.ts';

/** One program's connection to the broker in memory. */
export class LocalSession implements Session {
  readonly broker: string;
  readonly #broker: LocalBroker;
  readonly #ended = new AbortController();

  constructor(broker: LocalBroker, name: string) {
    this.#broker = broker;
    this.broker = name;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  async declareExchange({ exchange }: ExchangeSpec): Promise<void> {
    this.signal.throwIfAborted();
    this.#broker.declareExchange(exchange);
  }

  async queueExists(queue: string): Promise<boolean> {
    this.signal.throwIfAborted();
    return this.#broker.hasQueue(queue);
  }

  async publish(message: Outgoing): Promise<boolean> {
    this.signal.throwIfAborted();
    return this.#broker.publish(message);
  }

  /** Without a limit of messages ahead of their acknowledgement, as there is none by default. */
  async consume(sources: readonly Source[], _prefetch: number, receive: Receive): Promise<Consumer> {
    this.signal.throwIfAborted();
    const queues = sources.map((source) => this.#broker.declareQueue(source));
    // A function of its own: the same handler may consume from one queue twice.
    const own: Receive = (delivery) => receive(delivery);
    for (const queue of queues) queue.addConsumer(own);
    const stop = () => {
      for (const queue of queues) queue.removeConsumer(own);
    };
    this.signal.addEventListener('abort', stop, { once: true });
    return {
      stop: async () => {
        this.signal.removeEventListener('abort', stop);
        stop();
      },
      deleteQueue: async (queue) => {
        if (!this.signal.aborted) this.#broker.deleteQueue(queue);
      },
    };
  }

  explain(error: unknown): AstaraError {
    return translate(error, { broker: this.broker, user: '', vhost: '' });
  }

  fail(error: unknown): void {
    this.#ended.abort(this.explain(error));
  }

  async close(): Promise<void> {
    this.fail(errors.make('MESSAGING_CLOSED'));
  }
}
