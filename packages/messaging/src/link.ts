import { EventEmitter } from 'node:events';
import type { AstaraError } from '@astara/model/error.ts';
import { codeOf, translate } from './amqp-error.ts';
import { reconnectDelay } from './backoff.ts';
import { errors } from './errors.ts';
import type { CompiledOptions } from './options.ts';
import type { Session } from './session.ts';
import { type Broker, placeOf } from './transport-url.ts';
import { sleep, waitFor } from './wait.ts';

/** Whoever needs queues and consumers on each new session. */
export interface Participant {
  attach(session: Session): Promise<void>;
}

/** Opens a session to one broker; rejects with the signal's reason, and when the broker is not reached. */
export type Opener = (broker: Broker, signal: AbortSignal) => Promise<Session>;

/** A session that lasted so long was sound; one that ends sooner counts as a failure, lest a flapping one spin. */
const soundAfter = 10_000;

/**
 * Keeps a session to some broker, for ever: connect, attach all participants, wait for the end, again.
 * A session on which one participant cannot attach is given up: half a topology would look alive and be deaf.
 */
export class Link {
  readonly #options: CompiledOptions;
  readonly #open: Opener;
  readonly #events = new EventEmitter();
  readonly #closing = new AbortController();
  readonly #participants = new Set<Participant>();
  readonly #running: Promise<void>;
  #attached = new Set<Participant>();
  #session: Session | undefined;
  #next = Promise.withResolvers<Session>();
  #lastError: AstaraError | undefined;
  /** Attempts that failed since the last sound session. */
  #failures = 0;
  #connections = 0;

  constructor(options: CompiledOptions, open: Opener) {
    this.#options = options;
    this.#open = open;
    this.#next.promise.catch(() => undefined);
    this.#running = this.#run();
  }

  /** The session, when all participants are attached to it. */
  get session(): Session | undefined {
    return this.#session;
  }

  get connections(): number {
    return this.#connections;
  }

  on(event: 'connected' | 'disconnected', handler: () => void): void {
    this.#events.on(event, handler);
  }

  /** Waits for a session; rejects with the signal's reason or MESSAGING_CLOSED. */
  ready(signal?: AbortSignal): Promise<Session> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    return this.#session ? Promise.resolve(this.#session) : waitFor(this.#next.promise, signal);
  }

  /**
   * As `ready`, for whoever starts up: an abort is told as the reason why there is no connection, and what only a person can
   * mend (a wrong password) is told at once when every broker was tried.
   */
  async started(signal?: AbortSignal): Promise<void> {
    const hopeless = Promise.withResolvers<never>();
    const check = () => {
      const error = this.#lastError;
      if (error?.retry === 'operator' && this.#failures >= this.#options.brokers.length) hopeless.reject(error);
    };
    this.#events.on('failed', check);
    check();
    try {
      await Promise.race([this.ready(signal), hopeless.promise]);
    } catch (error) {
      throw signal?.aborted && error === signal.reason ? (this.#lastError ?? error) : error;
    } finally {
      this.#events.off('failed', check);
    }
  }

  /** Attached to each session from the next on. */
  register(participant: Participant): void {
    this.#participants.add(participant);
  }

  /** Resolves when the participant is attached, at once or with the next session. Rejects when its declarations are refused. */
  async add(participant: Participant): Promise<void> {
    const session = this.#session;
    if (session) {
      try {
        await attach(participant, session);
        this.#attached.add(participant);
        this.#participants.add(participant);
        return;
      } catch (error) {
        // Refused. Otherwise the session was lost meanwhile, and the next one has it.
        if (!session.signal.aborted) throw session.explain(error);
      }
    }
    this.#participants.add(participant);
    try {
      await this.started();
    } catch (error) {
      this.#participants.delete(participant);
      throw error;
    }
  }

  remove(participant: Participant): void {
    this.#participants.delete(participant);
  }

  async close(): Promise<void> {
    const closed = errors.make('MESSAGING_CLOSED');
    this.#closing.abort(closed);
    this.#next.reject(closed);
    await this.#session?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { brokers, retry } = this.#options;
    const signal = this.#closing.signal;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const broker = brokers[attempt % brokers.length] ?? brokers[0];
      const began = performance.now();
      let session: Session | undefined;
      try {
        session = await this.#open(broker, signal);
        await this.#attachAll(session);
        this.#becomeReady(session);
        await waitFor(new Promise<never>(() => undefined), session.signal);
      } catch (cause) {
        const error = translate(cause, { broker: placeOf(broker), user: broker.user, vhost: this.#options.vhost });
        session?.fail(error);
        const lost = this.#session !== undefined;
        this.#failures = lost && performance.now() - began > soundAfter ? 0 : this.#failures + 1;
        if (!signal.aborted) this.#report(error, placeOf(broker), lost);
        this.#lastError = error;
        this.#becomeLost();
        this.#events.emit('failed');
      }
      const delay = reconnectDelay(this.#failures, brokers.length, retry, Math.random());
      await sleep(delay, signal).catch(() => undefined);
    }
  }

  async #attachAll(session: Session): Promise<void> {
    this.#attached = new Set();
    // Participants may come while others attach.
    for (;;) {
      const rest = [...this.#participants].filter((participant) => !this.#attached.has(participant));
      if (rest.length === 0) return;
      await waitFor(Promise.all(rest.map((participant) => attach(participant, session))), session.signal);
      for (const participant of rest) this.#attached.add(participant);
    }
  }

  #becomeReady(session: Session): void {
    this.#session = session;
    this.#lastError = undefined;
    this.#connections += 1;
    const { log, tls } = this.#options;
    log.info({ broker: session.broker, tls: tls !== undefined }, 'connected to the message bus');
    this.#next.resolve(session);
    this.#events.emit('connected');
  }

  #becomeLost(): void {
    if (!this.#session) return;
    this.#session = undefined;
    if (!this.#closing.signal.aborted) {
      this.#next = Promise.withResolvers();
      this.#next.promise.catch(() => undefined);
    }
    this.#events.emit('disconnected');
  }

  /** Once per kind of trouble: a broker that stays away does not fill the log. */
  #report(error: AstaraError, broker: string, lost: boolean): void {
    const fields = { broker, code: error.code, error: error.message, remedy: error.remedy };
    if (lost) this.#options.log.warn(fields, 'lost the connection to the message bus');
    else if (error.message !== this.#lastError?.message) {
      const level = error.retry === 'operator' ? 'error' : 'warn';
      this.#options.log[level](fields, 'cannot connect to the message bus, trying again');
    }
  }
}

async function attach(participant: Participant, session: Session): Promise<void> {
  try {
    await participant.attach(session);
  } catch (error) {
    // A fanout exchange goes with its last queue, perhaps between our declaring it and our binding to it.
    if (codeOf(error) !== 'NOT_FOUND') throw error;
    await participant.attach(session);
  }
}
