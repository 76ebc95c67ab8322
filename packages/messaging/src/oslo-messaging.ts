import type {
  Args,
  CallOptions,
  CastOptions,
  ListenerOptions,
  OutgoingNotification,
  ServerOptions,
  ServiceMessaging,
  Subscription,
  Target,
} from './contract.ts';
import { type Counts, newCounts } from './counts.ts';
import { Link, type Opener } from './link.ts';
import { NotificationListener } from './notification-listener.ts';
import { Notifier } from './notifier.ts';
import type { CompiledOptions } from './options.ts';
import { RpcClient } from './rpc-client.ts';
import { RpcServer } from './rpc-server.ts';

/** How long `close` waits for handlers, and for the broker, before it lets go. */
const closeWithin = 10_000;

/** The protocol over whatever sessions are opened. */
export class OsloMessaging implements ServiceMessaging {
  readonly counts: Readonly<Counts>;
  readonly #options: CompiledOptions;
  readonly #counts = newCounts();
  readonly #link: Link;
  readonly #client: RpcClient;
  readonly #notifier: Notifier;
  readonly #subscriptions = new Set<Subscription>();
  #closed: Promise<void> | undefined;

  constructor(options: CompiledOptions, open: Opener) {
    this.#options = options;
    this.counts = this.#counts;
    this.#link = new Link(options, open);
    this.#client = new RpcClient(options, this.#link, this.#counts);
    this.#link.register(this.#client);
    this.#notifier = new Notifier(options, this.#link, this.#client.closing);
  }

  get connected(): boolean {
    return this.#link.session !== undefined;
  }

  /** Times that a connection was established. */
  get connections(): number {
    return this.#link.connections;
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#link.started(signal);
  }

  async call<Result>(target: Target, method: string, args: Args, options: CallOptions): Promise<Result> {
    return (await this.#client.call(target, method, args, options)) as Result;
  }

  cast(target: Target, method: string, args: Args, options?: CastOptions): Promise<void> {
    return this.#client.cast(target, method, args, options);
  }

  notify(notification: OutgoingNotification): Promise<void> {
    return this.#notifier.notify(notification);
  }

  async serve(server: ServerOptions): Promise<Subscription> {
    return this.#subscribe(new RpcServer(this.#options, this.#link, this.#counts, server));
  }

  async listen(listener: ListenerOptions): Promise<Subscription> {
    return this.#subscribe(new NotificationListener(this.#options, this.#link, this.#counts, listener));
  }

  on(event: 'connected' | 'disconnected', handler: () => void): void {
    this.#link.on(event, handler);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #subscribe(subscription: RpcServer | NotificationListener): Promise<Subscription> {
    await this.#link.add(subscription);
    this.#subscriptions.add(subscription);
    return {
      close: async () => {
        this.#subscriptions.delete(subscription);
        await subscription.close();
      },
    };
  }

  async #close(): Promise<void> {
    const polite = async () => {
      // Handlers may wait for calls that will not be answered any more.
      if (!this.connected) await this.#client.close();
      await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
      await this.#client.close();
    };
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeWithin);
    });
    await Promise.race([polite(), patience]);
    clearTimeout(timer);
    await this.#link.close();
  }
}
