import { errors } from '../errors.ts';
import type { Outgoing, Source } from '../session.ts';
import { LocalQueue } from './queue.ts';
import { LocalSession } from './session.ts';

/** By routing key; a fanout exchange ignores it, and has all under the empty one. */
type Exchange = Map<string, Set<LocalQueue>>;

/**
 * What RabbitMQ is to oslo.messaging, in memory: topic exchanges (exact keys, no wildcards), fanout exchanges, queues with
 * consumers in turn. As RabbitMQ's queues that are not durable they outlive their consumers, but not `stop`.
 */
export class LocalBroker {
  readonly #exchanges = new Map<string, Exchange>();
  readonly #queues = new Map<string, LocalQueue>();
  readonly #sessions = new Set<LocalSession>();
  #running = true;

  /** @throws MESSAGING_UNREACHABLE while it is stopped. */
  open(name: string): LocalSession {
    if (!this.#running) throw unreachable(name);
    const session = new LocalSession(this, name);
    this.#sessions.add(session);
    session.signal.addEventListener('abort', () => this.#sessions.delete(session), { once: true });
    return session;
  }

  start(): void {
    this.#running = true;
  }

  /** All sessions break, all queues are lost. */
  stop(): void {
    this.#running = false;
    for (const queue of this.#queues.values()) queue.clear();
    this.#queues.clear();
    this.#exchanges.clear();
    for (const session of [...this.#sessions]) session.fail(unreachable(session.broker));
  }

  declareExchange(name: string): Exchange {
    const known = this.#exchanges.get(name);
    if (known) return known;
    const exchange: Exchange = new Map();
    this.#exchanges.set(name, exchange);
    return exchange;
  }

  hasQueue(name: string): boolean {
    return this.#queues.has(name);
  }

  /** Messages that wait, by queue. */
  get depths(): ReadonlyMap<string, number> {
    return new Map([...this.#queues].map(([name, { length }]) => [name, length]));
  }

  declareQueue({ queue: { queue: name }, bindings }: Source): LocalQueue {
    const queue = this.#queues.get(name) ?? new LocalQueue(name);
    this.#queues.set(name, queue);
    for (const { exchange, routingKey } of bindings) {
      const keys = this.declareExchange(exchange.exchange);
      const key = exchange.type === 'fanout' ? '' : routingKey;
      keys.set(key, (keys.get(key) ?? new Set()).add(queue));
    }
    return queue;
  }

  deleteQueue(name: string): void {
    const queue = this.#queues.get(name);
    if (!queue) return;
    queue.clear();
    this.#queues.delete(name);
    for (const keys of this.#exchanges.values()) {
      for (const [key, bound] of keys) if (bound.delete(queue) && bound.size === 0) keys.delete(key);
    }
  }

  /** See `Session.publish`. */
  publish({ exchange, routingKey, text, expiration, mandatory }: Outgoing): boolean {
    const expires = performance.now() + (expiration ?? Number.POSITIVE_INFINITY);
    const queues =
      exchange === '' ? this.#byName(routingKey) : [...(this.#exchanges.get(exchange)?.get(routingKey) ?? [])];
    for (const queue of queues) queue.put({ text, expiration, expires });
    return queues.length > 0 || !mandatory;
  }

  #byName(name: string): LocalQueue[] {
    const queue = this.#queues.get(name);
    return queue ? [queue] : [];
  }
}

function unreachable(broker: string) {
  return errors.make('MESSAGING_UNREACHABLE', { broker, reason: 'the bus within this process is stopped' });
}
