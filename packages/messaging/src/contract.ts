/**
 * oslo.messaging, as stock OpenStack services speak it (envelope 2.0). Nothing of Neutron in here.
 * On RabbitMQ (`connectMessaging(options)` in `messaging.ts`), or within one process (`LocalBus` in `local/bus.ts`).
 */

export interface Messaging {
  /** Waits for an answer. Rejects with MESSAGING_TIMEOUT, MESSAGING_REMOTE_ERROR (with the remote class), MESSAGING_DISCONNECTED…, or the signal's reason. */
  call<Result>(target: Target, method: string, args: Args, options: CallOptions): Promise<Result>;
  /**
   * Resolves when a queue has the message; nobody listening to a fanout is no trouble. While there is no queue, or no
   * connection, it is sent again; after the time for that (kombu_missing_consumer_retry_timeout) it rejects with
   * MESSAGING_NO_DESTINATION or MESSAGING_DISCONNECTED.
   */
  cast(target: Target, method: string, args: Args, options?: CastOptions): Promise<void>;

  /**
   * Listens as `topic` and `topic.host` (topic exchange) and on the fanout of `topic`. Resolves when the queues are declared,
   * which waits for a broker that is down; rejects as `ready` does.
   */
  serve(server: ServerOptions): Promise<Subscription>;

  /** Listens to notifications on a queue of its own: `notifications.info` of other consumers is never touched. */
  listen(listener: ListenerOptions): Promise<Subscription>;

  /**
   * Resolves when connected, with all queues declared. Rejects when the signal aborts, and at once when only a person can help
   * (MESSAGING_ACCESS_REFUSED, MESSAGING_TLS, MESSAGING_TOPOLOGY_MISMATCH); in both cases with why there is no connection.
   * Connecting goes on regardless.
   */
  ready(signal?: AbortSignal): Promise<void>;
  readonly connected: boolean;
  /** `connected` fires on the first connection and again after each reconnection, once all topology is declared again. */
  on(event: 'connected' | 'disconnected', handler: () => void): void;

  /** Ends consumers, waits for handlers under way, fails calls under way, and closes. */
  close(): Promise<void>;
}

/** What a service needs besides: it tells the world what it did. */
export interface ServiceMessaging extends Messaging {
  /**
   * Publishes as oslo.messaging's driver `messagingv2`, on our own exchange (control_exchange), to each of our notification
   * topics with the routing key `<topic>.<priority in lower case>`. Resolves when the broker has it, whether or not anybody
   * listens: no queue is declared, for one that nobody empties would grow for ever (a listener declares its own).
   * Rejects with MESSAGING_DISCONNECTED after the same time as a cast. Awaited one by one, they keep their order.
   */
  notify(notification: OutgoingNotification): Promise<void>;
}

export type Args = Readonly<Record<string, unknown>>;

export interface Target {
  readonly topic: string;
  /** Version of the endpoint's interface that the method appeared in, `X.Y`. */
  readonly version: string;
  /** One server of the topic; absent: any. */
  readonly server?: string;
  /** To all servers of the topic (cast only). */
  readonly fanout?: boolean;
}

export interface CastOptions {
  /** The request that led to the message. Absent: one of our own, with a new id. */
  readonly context?: RequestContext;
}

export interface CallOptions extends CastOptions {
  /** Milliseconds until MESSAGING_TIMEOUT; also the message's expiration, so that nobody answers what nobody awaits. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
  /**
   * Handling the request twice does no harm. Then it is sent again when RabbitMQ came back without its queues, perhaps with
   * the request lost; otherwise such a call waits for its timeout. Default false.
   */
  readonly idempotent?: boolean;
}

/** A message as a handler sees it: what was asked, and the caller's request context without its token. */
export interface Incoming {
  readonly method: string;
  readonly args: Args;
  readonly version: string;
  readonly context: RequestContext;
}

/** On whose behalf a message is sent (`_context_*`). A handler sees what the sender gave. A token never travels. */
export interface RequestContext {
  /** `req-…` of the API request that led to the message. */
  readonly requestId?: string;
  /** When that API request began: milliseconds since the epoch. */
  readonly timestamp?: number;
  readonly projectId?: string;
  readonly projectName?: string;
  readonly userId?: string;
  readonly userName?: string;
  readonly roles?: readonly string[];
  /** Sent as given; absent: true if no user is named, for then the process speaks for itself. */
  readonly isAdmin?: boolean;
}

/** The value returned answers a call; for a cast it is dropped. A rejection is answered as a remote failure and logged. */
export type Handler = (message: Incoming) => unknown;

export interface ServerOptions {
  readonly topic: string;
  readonly host: string;
  /** Highest minor version answered, `X.Y`. */
  readonly version: string;
  readonly handlers: Readonly<Record<string, Handler>>;
}

export interface OutgoingNotification {
  /** E.g. `router.create.end`. */
  readonly eventType: string;
  /** `<service>.<host>`, e.g. `network.cloud1`. */
  readonly publisherId: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Default `INFO`. */
  readonly priority?: string;
  readonly context?: RequestContext;
}

/** A notification as a listener sees it. */
export interface Notification {
  readonly eventType: string;
  readonly publisherId: string;
  readonly priority: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** When the service published it: milliseconds since the epoch. */
  readonly timestamp: number;
  readonly context: RequestContext;
}

export interface ListenerOptions {
  /** Topic exchange of the publishing service (its control_exchange). */
  readonly exchange: string;
  /** Routing keys, e.g. `notifications.info`. */
  readonly topics: readonly string[];
  /** Name of our own queue. */
  readonly queue: string;
  readonly handler: (notification: Notification) => void;
}

export interface Subscription {
  close(): Promise<void>;
}
