import type {
  Args,
  CallOptions,
  ListenerOptions,
  Messaging,
  Notification,
  RequestContext,
  ServerOptions,
  Subscription,
  Target,
} from '@astara/messaging/contract.ts';
import { errors } from '@astara/messaging/errors.ts';

export interface RecordedCall {
  readonly target: Target;
  readonly method: string;
  readonly args: Args;
  readonly timeout: number;
}

type Answer = (args: Args, call: RecordedCall) => unknown;

/** A message bus in memory. A method without an answer is never answered: the call ends by its timeout. */
export class FakeMessaging implements Messaging {
  connected = true;
  readonly calls: RecordedCall[] = [];
  readonly listeners: ListenerOptions[] = [];
  /** Calls under way now, and the most there were at once, by method. */
  readonly underway = new Map<string, number>();
  readonly peak = new Map<string, number>();
  readonly #answers = new Map<string, Answer>();
  readonly #servers = new Map<string, ServerOptions>();
  readonly #handlers = { connected: new Set<() => void>(), disconnected: new Set<() => void>() };
  readonly #fail = new Set<(reason: unknown) => void>();

  answer(method: string, answer: Answer): void {
    this.#answers.set(method, answer);
  }

  /** Never answers the method from now on. */
  hang(method: string): void {
    this.#answers.delete(method);
  }

  of(method: string): RecordedCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  async call<Result>(target: Target, method: string, args: Args, options: CallOptions): Promise<Result> {
    const recorded = { target, method, args, timeout: options.timeout };
    this.calls.push(recorded);
    const now = (this.underway.get(method) ?? 0) + 1;
    this.underway.set(method, now);
    this.peak.set(method, Math.max(now, this.peak.get(method) ?? 0));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => reject(errors.make('MESSAGING_TIMEOUT', { method, topic: target.topic, timeout: options.timeout })),
      options.timeout,
    );
    const abort = () => reject(options.signal?.reason);
    options.signal?.addEventListener('abort', abort);
    this.#fail.add(reject);
    const answer = this.#answers.get(method);
    if (!this.connected) reject(errors.make('MESSAGING_DISCONNECTED', { what: method, timeout: options.timeout }));
    else if (answer !== undefined) new Promise((done) => done(answer(args, recorded))).then(resolve, reject);
    try {
      return (await promise) as Result;
    } finally {
      clearTimeout(timer);
      this.#fail.delete(reject);
      options.signal?.removeEventListener('abort', abort);
      this.underway.set(method, (this.underway.get(method) ?? 1) - 1);
    }
  }

  cast(): Promise<void> {
    return Promise.resolve();
  }

  serve(server: ServerOptions): Promise<Subscription> {
    this.#servers.set(server.topic, server);
    return Promise.resolve({ close: () => Promise.resolve() });
  }

  listen(listener: ListenerOptions): Promise<Subscription> {
    this.listeners.push(listener);
    return Promise.resolve({ close: () => Promise.resolve() });
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  on(event: 'connected' | 'disconnected', handler: () => void): void {
    this.#handlers[event].add(handler);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What neutron-server sends to an agent; answers what the agent answers. */
  send(topic: string, method: string, args: Args, context: RequestContext = {}): unknown {
    const handler = this.#servers.get(topic)?.handlers[method];
    if (handler === undefined) throw new Error(`${topic} has no ${method}`);
    return handler({ method, args, version: '1.0', context });
  }

  notify(notification: Notification): void {
    for (const listener of this.listeners) listener.handler(notification);
  }

  disconnect(): void {
    this.connected = false;
    for (const fail of this.#fail) fail(errors.make('MESSAGING_DISCONNECTED', { what: 'call', timeout: 0 }));
    for (const handler of this.#handlers.disconnected) handler();
  }

  reconnect(): void {
    this.connected = true;
    for (const handler of this.#handlers.connected) handler();
  }
}
