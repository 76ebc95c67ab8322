import type { AstaraError } from '@astara/model/error.ts';
import type { ExchangeSpec, QueueSpec } from './queue-arguments.ts';

/**
 * One connection to one broker, from its opening to its end: all that oslo.messaging's protocol needs of AMQP.
 * RabbitMQ's is in `rabbit-session.ts`, the one within this process in `local/broker.ts`.
 */
export interface Session {
  /** `host:port`. */
  readonly broker: string;
  /** Aborted when the session has ended; the reason is an AstaraError. */
  readonly signal: AbortSignal;
  declareExchange(spec: ExchangeSpec): Promise<void>;
  queueExists(queue: string): Promise<boolean>;
  /**
   * Resolves when the broker has the message: true if a queue has it, false if a mandatory message found none.
   * A rejection leaves open whether the broker has it.
   */
  publish(message: Outgoing): Promise<boolean>;
  /** Declares exchanges, queues and bindings, then consumes. `prefetch`: messages ahead of their acknowledgement, 0 = no limit. */
  consume(sources: readonly Source[], prefetch: number, receive: (delivery: Delivery) => void): Promise<Consumer>;
  /** The error as an AstaraError that names this broker. */
  explain(error: unknown): AstaraError;
  /** Ends the session: all that waits for the broker is rejected. */
  fail(error: unknown): void;
  /** Closes politely. The signal is aborted with MESSAGING_CLOSED. */
  close(): Promise<void>;
}

export interface Outgoing {
  /** Empty: the default exchange, where the routing key is the name of a queue. */
  readonly exchange: string;
  readonly routingKey: string;
  /** The text of `oslo.message`. */
  readonly text: string;
  /** AMQP message id; the broker names it when it returns the message. */
  readonly id: string;
  /** Milliseconds after which the broker drops the message. */
  readonly expiration?: number;
  /** Ask the broker to say so when no queue gets the message. */
  readonly mandatory: boolean;
}

export interface Source {
  readonly queue: QueueSpec;
  readonly bindings: readonly { readonly exchange: ExchangeSpec; readonly routingKey: string }[];
}

export interface Delivery {
  readonly queue: string;
  /** With or without its envelope, see `decodeEnvelope`. */
  readonly body: unknown;
  /** Milliseconds that the sender gave the message to live; absent: no limit. */
  readonly expiration: number | undefined;
  /** Never throws: when the channel is gone the broker delivers the message again, and it is known as a double. */
  ack(): void;
}

export interface Consumer {
  /** No message is delivered after this; acknowledgements still work. */
  stop(): Promise<void>;
  deleteQueue(queue: string): Promise<void>;
}
