import type { Args, CallOptions, CastOptions, Target } from './contract.ts';
import type { Counts } from './counts.ts';
import { deliver, type Parcel, undelivered } from './delivery.ts';
import { encodeMessage, newId } from './envelope.ts';
import { errors } from './errors.ts';
import type { Link, Participant } from './link.ts';
import { type Reply, readReply, requestMessage } from './messages.ts';
import type { CompiledOptions } from './options.ts';
import { fanoutExchange, topicExchange, transientQueue } from './queue-arguments.ts';
import { decodeFailure } from './remote-failure.ts';
import type { Consumer, Delivery, Session } from './session.ts';
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

  /** Aborted when nothing is to be sent any more. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async attach(session: Session): Promise<void> {
    const { queues } = this.#options;
    const lost = this.#pending.size > 0 && !(await session.queueExists(this.#replyQueue));
    await session.declareExchange(topicExchange(this.#options.exchange, queues));
    const source = { queue: transientQueue(this.#replyQueue, queues), bindings: [] };
    this.#consumer = await session.consume([source], 0, (delivery) => this.#receive(delivery));
    if (lost) for (const call of this.#pending.values()) call.resend();
  }

  async call(target: Target, method: string, args: Args, options: CallOptions): Promise<unknown> {
    using deadline = new Deadline(options.timeout, options.signal, this.#closing.signal);
    const topic = routingKeyOf(target);
    const uniqueId = newId();
    const msgId = newId();
    const { version } = target;
    const { context } = options;
    const text = encodeMessage(
      requestMessage({ method, args, version, uniqueId, context }, { queue: this.#replyQueue, msgId }),
    );
    const message = { exchange: this.#options.exchange, routingKey: topic, text, id: uniqueId, mandatory: true };
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
      throw deadline.expired ? undelivered(parcel, 'The call', { topic, method }, options.timeout) : error;
    } finally {
      this.#pending.delete(msgId);
      // Ends a delivery that still waits for its confirmation.
      deadline.abort(errors.make('MESSAGING_CLOSED'));
    }
  }

  async cast(target: Target, method: string, args: Args, { context }: CastOptions = {}): Promise<void> {
    const timeout = this.#options.missingConsumerTimeout;
    using deadline = new Deadline(timeout, this.#closing.signal);
    const uniqueId = newId();
    const text = encodeMessage(requestMessage({ method, args, version: target.version, uniqueId, context }));
    const topic = routingKeyOf(target);
    const exchange = target.fanout ? fanoutExchange(target.topic, this.#options.queues) : undefined;
    const parcel: Parcel = {
      message: {
        exchange: exchange?.exchange ?? this.#options.exchange,
        routingKey: exchange ? '' : topic,
        text,
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
      throw deadline.expired ? undelivered(parcel, 'The cast', { topic, method }, timeout) : error;
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
