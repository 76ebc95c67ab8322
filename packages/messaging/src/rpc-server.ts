import type { ServerOptions, Subscription } from './contract.ts';
import type { Counts } from './counts.ts';
import { Dedup } from './dedup.ts';
import { deliver, type Parcel } from './delivery.ts';
import { encodeMessage, newId } from './envelope.ts';
import type { Link, Participant } from './link.ts';
import { type Request, readRequest } from './messages.ts';
import type { CompiledOptions } from './options.ts';
import { fanoutExchange, topicExchange, topicQueue, transientQueue } from './queue-arguments.ts';
import { encodeFailure, NoSuchMethod, UnsupportedVersion, versionFits } from './remote-failure.ts';
import type { Consumer, Delivery, Session, Source } from './session.ts';
import { Deadline } from './wait.ts';

/** A reply queue that did not come back within the time given is not waited for again so soon. */
const goneFor = 60_000;

/**
 * Answers calls and takes casts for one topic. A message is acknowledged when it is decoded, as oslo.messaging does: a
 * handler that crashes the process does not crash its successor. Handlers run side by side.
 */
export class RpcServer implements Participant, Subscription {
  readonly #options: CompiledOptions;
  readonly #link: Link;
  readonly #counts: Counts;
  readonly #server: ServerOptions;
  readonly #sources: readonly Source[];
  readonly #fanoutQueue: string;
  readonly #seen = new Dedup();
  readonly #underway = new Set<Promise<void>>();
  /** Reply queues that are gone, and until when they are taken for gone. */
  readonly #gone = new Map<string, number>();
  #consumer: Consumer | undefined;

  constructor(options: CompiledOptions, link: Link, counts: Counts, server: ServerOptions) {
    this.#options = options;
    this.#link = link;
    this.#counts = counts;
    this.#server = server;
    const { topic, host } = server;
    const { queues } = options;
    const exchange = topicExchange(options.exchange, queues);
    // Named once: after a reconnection it is the same queue, with what came meanwhile.
    this.#fanoutQueue = `${topic}_fanout_${newId()}`;
    this.#sources = [
      ...[topic, `${topic}.${host}`].map((name) => ({
        queue: topicQueue(name, queues),
        bindings: [{ exchange, routingKey: name }],
      })),
      {
        queue: transientQueue(this.#fanoutQueue, queues),
        bindings: [{ exchange: fanoutExchange(topic, queues), routingKey: topic }],
      },
    ];
  }

  async attach(session: Session): Promise<void> {
    const { prefetch } = this.#options;
    this.#consumer = await session.consume(this.#sources, prefetch, (delivery) => this.#receive(delivery));
  }

  /** Takes no more, waits for handlers and their answers, and deletes the fanout queue. */
  async close(): Promise<void> {
    this.#link.remove(this);
    await this.#consumer?.stop();
    await Promise.all(this.#underway);
    await this.#consumer?.deleteQueue(this.#fanoutQueue);
  }

  #receive(delivery: Delivery): void {
    delivery.ack();
    let request: Request;
    try {
      request = readRequest(delivery.body);
    } catch (error) {
      this.#counts.malformed += 1;
      this.#options.log.warn({ queue: delivery.queue, error: String(error) }, 'dropped a malformed message');
      return;
    }
    if (this.#seen.seen(request.uniqueId)) {
      this.#counts.duplicates += 1;
      return;
    }
    this.#counts.requests += 1;
    const work = this.#handle(request, delivery.expiration);
    this.#underway.add(work);
    void work.finally(() => this.#underway.delete(work));
  }

  async #handle(request: Request, expiration: number | undefined): Promise<void> {
    const { replyTo, monitor } = request;
    const patience = performance.now() + (expiration ?? Number.POSITIVE_INFINITY);
    const beat =
      replyTo && monitor !== undefined
        ? setInterval(() => void this.#send(replyTo, { ending: false }, patience), monitor / 2)
        : undefined;
    let answer: { result?: unknown; failure?: string };
    try {
      answer = { result: await this.#dispatch(request) };
    } catch (error) {
      this.#counts.failures += 1;
      const { method, context } = request;
      this.#options.log.error({ topic: this.#server.topic, method, context, err: error }, 'an RPC handler failed');
      answer = { failure: encodeFailure(error) };
    } finally {
      clearInterval(beat);
    }
    if (replyTo) await this.#send(replyTo, { ...answer, ending: true }, patience);
  }

  async #dispatch(request: Request): Promise<unknown> {
    const { method, version, namespace } = request;
    if (namespace !== undefined || !versionFits(this.#server.version, version)) {
      throw new UnsupportedVersion(version, method);
    }
    const handler = Object.hasOwn(this.#server.handlers, method) ? this.#server.handlers[method] : undefined;
    if (!handler) throw new NoSuchMethod(method);
    return await handler(request);
  }

  /** Never rejects; gives up when the caller has (`patience`, by performance.now()). The caller's queue may be away for a moment after a restart of the broker. */
  async #send(
    replyTo: { queue: string; msgId: string },
    answer: { result?: unknown; failure?: string; ending: boolean },
    patience: number,
  ): Promise<void> {
    const { queue, msgId } = replyTo;
    const now = performance.now();
    if ((this.#gone.get(queue) ?? 0) > now) return;
    using deadline = new Deadline(Math.max(0, Math.min(this.#options.missingConsumerTimeout, patience - now)));
    const { result = null, failure = null, ending } = answer;
    const id = newId();
    let parcel: Parcel | undefined;
    try {
      const text = encodeMessage({ result, failure, ending, _msg_id: msgId, _unique_id: id });
      const message = { exchange: '', routingKey: queue, text, id, mandatory: true };
      parcel = { message, expires: false, progress: 'unsent' };
      await deliver(this.#link, parcel, deadline);
    } catch (error) {
      if (parcel === undefined) {
        // The result is no JSON value.
        await this.#send(replyTo, { failure: encodeFailure(error), ending }, patience);
        return;
      }
      if (parcel.progress === 'unroutable') this.#forget(queue);
      this.#options.log.warn({ queue, error: String(error) }, 'an answer was not delivered');
    }
  }

  #forget(queue: string): void {
    const now = performance.now();
    for (const [name, until] of this.#gone) if (until <= now) this.#gone.delete(name);
    this.#gone.set(queue, now + goneFor);
  }
}
