import { compileOptions, type Log } from '../options.ts';
import { OsloMessaging } from '../oslo-messaging.ts';
import { LocalBroker } from './broker.ts';

export interface LocalOptions {
  /** As in `MessagingOptions`. */
  readonly exchange?: string;
  readonly notificationTopics?: readonly string[];
  readonly log?: Log;
  /** Milliseconds that a cast, or an answer, waits for the queue it goes to. Default 60 000. */
  readonly missingConsumerTimeout?: number;
}

/**
 * A bus for programs that run together in one process: the same protocol on a broker in memory. Messages are copied as
 * JSON, as on the wire, once for each receiver.
 */
export class LocalBus {
  readonly #broker = new LocalBroker();
  readonly #connections = new Set<OsloMessaging>();

  /** `name`: of the program, for log and errors. */
  connect(name = 'local', options: LocalOptions = {}): OsloMessaging {
    const { exchange, notificationTopics, log, missingConsumerTimeout } = options;
    const compiled = compileOptions({
      transportUrl: 'rabbit://in-process/',
      ...(exchange === undefined ? {} : { exchange }),
      ...(notificationTopics === undefined ? {} : { notificationTopics }),
      ...(log === undefined ? {} : { log }),
      ...(missingConsumerTimeout === undefined
        ? {}
        : { rabbit: { kombu_missing_consumer_retry_timeout: missingConsumerTimeout / 1000 } }),
    });
    // Nobody is overrun by attempts to connect to an object.
    const retry = { interval: 10, step: 0, max: 10 };
    const messaging = new OsloMessaging({ ...compiled, retry }, async () => this.#broker.open(name));
    this.#connections.add(messaging);
    return messaging;
  }

  /** Messages that wait, by queue. */
  get depths(): ReadonlyMap<string, number> {
    return this.#broker.depths;
  }

  /** As RabbitMQ that stops: connections break, queues are lost with what is in them. Resolves when all connections know. */
  async disconnect(): Promise<void> {
    this.#broker.stop();
    await new Promise(setImmediate);
  }

  /** Resolves when all connections are back. */
  async reconnect(): Promise<void> {
    this.#broker.start();
    await Promise.allSettled([...this.#connections].map((messaging) => messaging.ready()));
  }
}
