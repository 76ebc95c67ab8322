import { codeOf } from './amqp-error.ts';
import { Consumer, type Delivery } from './consumer.ts';
import type { Args, CallOptions, Target } from './contract.ts';
import type { Counts } from './counts.ts';
import { deliver, type Parcel } from './delivery.ts';
import { encodeEnvelope, newId } from './envelope.ts';
import { errors } from './errors.ts';
import type { Link, Participant } from './link.ts';
import { type Reply, readReply, requestMessage } from './messages.ts';
import type { CompiledOptions } from './options.ts';
import { fanoutExchange, topicExchange, transientQueue } from './queue-arguments.ts';
import { decodeFailure } from './remote-failure.ts';
import type { Session } from './session.ts';
import { Deadline, waitFor } from './wait.ts';

interface PendingCall {
  readonly topic: string;
  readonly method: string;
  readonly answer: PromiseWithResolvers<unknown>;
  /** The broker forgot its queues, perhaps with the request: sends it once more if that does no harm. */
  readonly resend: () => void;
  partial: unknown;
}

/**
 * Calls and casts. All answers come to one queue, whose name lasts as long as the process: an answer that is published
 * while the connection is down waits there.
 */
export class RpcClient implements Participant {
  readonly #options: CompiledOptions;
  readonly #link: Link;
  readonly #counts: Counts;
  readonly #replyQueue = `reply_${newId()}`;
  readonly #pending = new Map<string, PendingCall>();
  readonly #closing = new AbortController();
  #consumer: Consumer | undefined;

  constructor(options: CompiledOptions, link: Link, counts: Counts) {
    this.#options = options;
    this.#link = link;
    this.#counts = counts;
  }

  async attach(session: Session): Promise<void> {
    const { queues } = this.#options;
    const lost = this.#pending.size > 0 && !(await queueExists(session, this.#replyQueue));
    await session.declareExchange(topicExchange(this.#options.exchange, queues));
    const source = { queue: transientQueue(this.#replyQueue, queues), bindings: [] };
    this.#consumer = await Consumer.start(session, [source], 0, (delivery) => this.#receive(delivery));
    if (lost) for (const call of this.#pending.values()) call.resend();
  }

  async call(target: Target, method: string, args: Args, options: CallOptions): Promise<unknown> {
    using deadline = new Deadline(options.timeout, options.signal, this.#closing.signal);
    const topic = routingKeyOf(target);
    const uniqueId = newId();
    const msgId = newId();
    const { version } = target;
    const body = encodeEnvelope(
      requestMessage({ method, args, version, uniqueId }, { queue: this.#replyQueue, msgId }),
    );
    const message = { exchange: this.#options.exchange, routingKey: topic, body, id: uniqueId, mandatory: true };
    const parcel: Parcel = { message, expires: true, progress: 'unsent' };
    const answer = Promise.withResolvers<unknown>();
    // Answering and sending run side by side: an answer may overtake the broker's confirmation.
    const send = () => deliver(this.#link, parcel, deadline).catch((error) => answer.reject(error));
    const resend = () => {
      if (!options.idempotent || parcel.progress !== 'sent') return;
      parcel.progress = 'unsent';
      void send();
    };
    this.#pending.set(msgId, { topic, method, answer, resend, partial: null });
    this.#counts.calls += 1;
    try {
      void send();
      return await waitFor(answer.promise, deadline.signal);
    } catch (error) {
      throw deadline.expired ? timeoutError(parcel, `The call ${method}`, { topic, method }, options.timeout) : error;
    } finally {
      this.#pending.delete(msgId);
      // Ends a delivery that still waits for its confirmation.
      deadline.abort(errors.make('MESSAGING_CLOSED'));
    }
  }

  async cast(target: Target, method: string, args: Args): Promise<void> {
    const timeout = this.#options.missingConsumerTimeout;
    using deadline = new Deadline(timeout, this.#closing.signal);
    const uniqueId = newId();
    const body = encodeEnvelope(requestMessage({ method, args, version: target.version, uniqueId }));
    const topic = routingKeyOf(target);
    const exchange = target.fanout ? fanoutExchange(target.topic, this.#options.queues) : undefined;
    const parcel: Parcel = {
      message: {
        exchange: exchange?.exchange ?? this.#options.exchange,
        routingKey: exchange ? '' : topic,
        body,
        id: uniqueId,
        // Nobody listening is no trouble for a fanout.
        mandatory: !exchange,
      },
      ...(exchange ? { exchange } : {}),
      expires: false,
      progress: 'unsent',
    };
    this.#counts.casts += 1;
    try {
      await deliver(this.#link, parcel, deadline);
    } catch (error) {
      throw deadline.expired ? timeoutError(parcel, `The cast ${method}`, { topic, method }, timeout) : error;
    }
  }

  /** Fails what is under way, and deletes the reply queue: nobody else would. */
  async close(): Promise<void> {
    this.#closing.abort(errors.make('MESSAGING_CLOSED'));
    await this.#consumer?.stop();
    await this.#consumer?.deleteQueue(this.#replyQueue);
  }

  #receive(delivery: Delivery): void {
    delivery.ack();
    let reply: Reply;
    try {
      reply = readReply(delivery.body);
    } catch (error) {
      this.#counts.malformed += 1;
      this.#options.log.warn({ queue: delivery.queue, error: String(error) }, 'dropped a malformed message');
      return;
    }
    const call = this.#pending.get(reply.msgId);
    if (!call) {
      // Delivered twice, or its caller has given up.
      this.#counts.lateAnswers += 1;
      return;
    }
    if (reply.failure) call.answer.reject(decodeFailure(reply.failure, call));
    else if (reply.ending) call.answer.resolve(reply.result ?? call.partial);
    else call.partial = reply.result ?? call.partial;
  }
}

function routingKeyOf({ topic, server, fanout }: Target): string {
  return server === undefined || fanout ? topic : `${topic}.${server}`;
}

async function queueExists(session: Session, queue: string): Promise<boolean> {
  try {
    await session.withChannel((channel) => channel.queueDeclare({ queue, passive: true }));
    return true;
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return false;
    throw error;
  }
}

function timeoutError(parcel: Parcel, what: string, call: { topic: string; method: string }, timeout: number) {
  const options = { cause: parcel.lastError };
  switch (parcel.progress) {
    case 'unsent':
      return errors.make('MESSAGING_DISCONNECTED', { what, timeout }, options);
    case 'unroutable':
      return errors.make('MESSAGING_NO_DESTINATION', { what, timeout, topic: call.topic }, options);
    case 'sent':
      return errors.make('MESSAGING_TIMEOUT', { ...call, timeout }, options);
  }
}
