import type { AstaraError } from '@astara/model/error.ts';
import { type Channel, Connection } from 'rabbitmq-client';
import { codeOf, type Place, translate } from './amqp-error.ts';
import { RabbitConsumer } from './consumer.ts';
import { errors } from './errors.ts';
import type { CompiledOptions } from './options.ts';
import { Publisher } from './publisher.ts';
import type { ExchangeSpec } from './queue-arguments.ts';
import type { Consumer, Delivery, Outgoing, Session, Source } from './session.ts';
import { tlsOptions } from './tls.ts';
import { type Broker, placeOf } from './transport-url.ts';
import { waitFor } from './wait.ts';

/**
 * Never reconnects: `Link` makes the next session.
 * (The library's own reconnecting is not used: it reports only the first failure, and waits between brokers.)
 */
export class RabbitSession implements Session {
  readonly #connection: Connection;
  readonly #place: Place;
  readonly #ended = new AbortController();
  readonly #channels = new Set<Channel>();
  #publisher: Promise<Publisher> | undefined;

  static async open(options: CompiledOptions, broker: Broker, signal: AbortSignal): Promise<RabbitSession> {
    const session = new RabbitSession(options, broker);
    const opened = Promise.withResolvers<void>();
    session.#connection.on('connection', () => opened.resolve());
    session.signal.addEventListener('abort', () => opened.reject(session.signal.reason), { once: true });
    try {
      await waitFor(opened.promise, signal);
      return session;
    } catch (error) {
      session.fail(error);
      throw error;
    }
  }

  private constructor(options: CompiledOptions, broker: Broker) {
    const { host: hostname, port, user: username, password } = broker;
    this.#place = { broker: placeOf(broker), user: username, vhost: options.vhost };
    this.#connection = new Connection({
      hostname,
      port,
      username,
      password,
      vhost: options.vhost,
      connectionName: options.connectionName,
      connectionTimeout: options.connectTimeout,
      // Nagle's algorithm costs 40 ms for each message that does not fill a segment.
      noDelay: true,
      // The library gives a connection up after four half-intervals without a byte.
      heartbeat: Math.ceil(options.deadAfter / 2000),
      ...(options.tls ? { tls: tlsOptions(options.tls) } : {}),
    });
    this.#connection.on('error', (error: unknown) => {
      this.fail(error);
      // Also when it has ended already: the library has just set its timer to reconnect.
      this.#connection.unsafeDestroy();
    });
    this.#connection.on('connection.blocked', (reason) =>
      options.log.warn({ broker: this.broker, reason }, 'RabbitMQ accepts no messages for now'),
    );
    this.#connection.on('connection.unblocked', () =>
      options.log.info({ broker: this.broker }, 'RabbitMQ accepts messages again'),
    );
  }

  get broker(): string {
    return this.#place.broker;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  fail(error: unknown): void {
    if (this.signal.aborted) return;
    this.#ended.abort(translate(error, this.#place));
    this.#connection.unsafeDestroy();
  }

  /** A channel that may break: the caller then gets the rejection. */
  async channel(): Promise<Channel> {
    this.signal.throwIfAborted();
    const channel = await waitFor(this.#connection.acquire({ emitErrorsFromChannel: true }), this.signal);
    channel.setMaxListeners(0);
    channel.on('error', () => undefined);
    this.#channels.add(channel);
    channel.on('close', () => this.#channels.delete(channel));
    return channel;
  }

  /** From now on the loss of this channel, or of a consumer on it, ends the session: nobody would hear anything any more. */
  dependOn(channel: Channel): void {
    let cause: unknown = new Error('a channel was closed');
    channel.on('error', (error) => {
      cause = error;
    });
    // Later: if the whole connection was lost, its own error comes after that of its channels and says why.
    channel.on('close', () => queueMicrotask(() => this.fail(cause)));
    channel.on('basic.cancel', (tag) =>
      this.fail(new Error(`the consumer ${tag} was cancelled (its queue was deleted, or moved)`)),
    );
    if (!channel.active) this.fail(cause);
  }

  explain(error: unknown): AstaraError {
    return translate(error, this.#place);
  }

  async declareExchange(spec: ExchangeSpec): Promise<void> {
    const { exchange, type, durable, autoDelete } = spec;
    await this.#withChannel((channel) => channel.exchangeDeclare({ exchange, type, durable, autoDelete }));
  }

  async queueExists(queue: string): Promise<boolean> {
    try {
      await this.#withChannel((channel) => channel.queueDeclare({ queue, passive: true }));
      return true;
    } catch (error) {
      if (codeOf(error) === 'NOT_FOUND') return false;
      throw error;
    }
  }

  async publish(message: Outgoing): Promise<boolean> {
    // One channel, opened again if the broker closed it.
    this.#publisher ??= this.#openPublisher();
    const publisher = await this.#publisher;
    return publisher.publish(message);
  }

  consume(sources: readonly Source[], prefetch: number, receive: (delivery: Delivery) => void): Promise<Consumer> {
    return RabbitConsumer.start(this, sources, prefetch, receive);
  }

  async close(): Promise<void> {
    if (this.signal.aborted) return;
    this.#ended.abort(errors.make('MESSAGING_CLOSED'));
    const polite = async () => {
      await Promise.all([...this.#channels].map((channel) => channel.close()));
      await this.#connection.close();
    };
    await waitFor(polite(), AbortSignal.timeout(1000)).catch(() => this.#connection.unsafeDestroy());
  }

  /** Runs `use` on a channel of its own, which may break. */
  async #withChannel<Value>(use: (channel: Channel) => Promise<Value>): Promise<Value> {
    const channel = await this.channel();
    try {
      return await use(channel);
    } finally {
      await channel.close();
    }
  }

  async #openPublisher(): Promise<Publisher> {
    try {
      const publisher = await Publisher.open(await this.channel());
      publisher.onClose(() => {
        this.#publisher = undefined;
      });
      return publisher;
    } catch (error) {
      this.#publisher = undefined;
      throw error;
    }
  }
}
