import { errors } from './errors.ts';
import { compileTls, type TlsSettings } from './tls.ts';
import { type Broker, parseTransportUrl } from './transport-url.ts';

export interface MessagingOptions {
  /** `rabbit://user:password@host:port,…/vhost`, as in neutron.conf. */
  readonly transportUrl: string;
  /** Topic exchange of the service we talk to (`control_exchange`). Default `neutron`. */
  readonly exchange?: string;
  /** What we notify on (`[oslo_messaging_notifications] topics`). Default `['notifications']`. */
  readonly notificationTopics?: readonly string[];
  /** The operator's `[oslo_messaging_rabbit]`. */
  readonly rabbit?: RabbitOptions;
  /** Shown by `rabbitmqctl list_connections client_properties`. Default `astara`. */
  readonly connectionName?: string;
  /** Milliseconds until an attempt to connect to one broker is given up. Default 5000. */
  readonly connectTimeout?: number;
  /** Where events go; a pino logger fits. Default: nowhere. */
  readonly log?: Log;
}

/** The part of a logger that is used: fields first, then a fixed message. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Options of `[oslo_messaging_rabbit]` under their own names and with their own units. What shapes queues and exchanges
 * must be as in neutron.conf, or RabbitMQ refuses the declaration (MESSAGING_TOPOLOGY_MISMATCH).
 */
export interface RabbitOptions {
  /** Quorum queues for requests. Default false. Not together with rabbit_ha_queues. */
  readonly rabbit_quorum_queue?: boolean;
  /** Quorum queues for replies and fanouts, too. Default false. */
  readonly rabbit_transient_quorum_queue?: boolean;
  /**
   * Services read fanouts from one stream. Default false; needs rabbit_transient_quorum_queue. We bind a quorum queue of
   * our own to the same exchange instead of reading the stream: same messages, no offsets to keep.
   */
  readonly rabbit_stream_fanout?: boolean;
  /** Times a quorum queue delivers a message again before it drops it; 0 = no limit. Default 0. */
  readonly rabbit_quorum_delivery_limit?: number;
  /** Messages of a quorum queue kept in memory; 0 = no limit. Default 0. */
  readonly rabbit_quorum_max_memory_length?: number;
  /** Bytes of a quorum queue kept in memory; 0 = no limit. Default 0. */
  readonly rabbit_quorum_max_memory_bytes?: number;
  /** Seconds after which unused reply and fanout queues are deleted; 0 = never. Default 1800. */
  readonly rabbit_transient_queues_ttl?: number;
  /** Request queues and exchanges survive a restart of the broker. Default false. */
  readonly amqp_durable_queues?: boolean;
  /** Request queues and exchanges are deleted with their last user. Default false. */
  readonly amqp_auto_delete?: boolean;
  /** Classic mirrored queues (x-ha-policy). Default false. */
  readonly rabbit_ha_queues?: boolean;
  /** Messages delivered ahead of their acknowledgement; 0 = no limit. Default 0. */
  readonly rabbit_qos_prefetch_count?: number;
  /** Seconds without a sign of life after which the broker counts as dead; 0 = no heartbeats. Default 60. */
  readonly heartbeat_timeout_threshold?: number;
  /** Accepted, without effect: the connection is checked four times per threshold. */
  readonly heartbeat_rate?: number;
  /** Seconds before a failed round over all brokers is repeated. Default 1. */
  readonly rabbit_retry_interval?: number;
  /** Seconds that this delay grows by each time. Default 2. */
  readonly rabbit_retry_backoff?: number;
  /** Seconds that this delay never exceeds. Default 5 (oslo.messaging: 30). */
  readonly rabbit_interval_max?: number;
  /** `round-robin` or `shuffle`. Default `round-robin`. */
  readonly kombu_failover_strategy?: string;
  /** Seconds that a cast, or an answer, waits for the queue it goes to. Default 60. */
  readonly kombu_missing_consumer_retry_timeout?: number;
  /** Only the mechanisms that PLAIN can stand in for: PLAIN, AMQPLAIN. Default `PLAIN`. */
  readonly rabbit_login_method?: string;
  /** Default false. */
  readonly ssl?: boolean;
  /** `` (whatever both sides have from TLS 1.2), TLSv1, TLSv1_1, TLSv1_2, TLSv1_3 or SSLv23. */
  readonly ssl_version?: string;
  /** PEM file of the authorities that may sign the broker's certificate. Default: the public ones. */
  readonly ssl_ca_file?: string;
  readonly ssl_cert_file?: string;
  readonly ssl_key_file?: string;
  /** The broker's certificate must name the host of transport_url. Default true. */
  readonly ssl_enforce_hostname_verification?: boolean;
}

/** What shapes queues and exchanges; times in milliseconds. */
export interface QueueSettings {
  readonly quorum: boolean;
  readonly transientQuorum: boolean;
  readonly streamFanout: boolean;
  readonly deliveryLimit: number;
  readonly maxMemoryLength: number;
  readonly maxMemoryBytes: number;
  readonly transientTtl: number;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly mirrored: boolean;
}

/** Options with every value present, times in milliseconds. No other code sees `undefined`. */
export interface CompiledOptions {
  readonly brokers: readonly [Broker, ...Broker[]];
  readonly vhost: string;
  readonly exchange: string;
  readonly notificationTopics: readonly string[];
  readonly connectionName: string;
  readonly connectTimeout: number;
  readonly log: Log;
  readonly queues: QueueSettings;
  readonly prefetch: number;
  /** The broker counts as dead after so long without a sign of life; 0 = never. */
  readonly deadAfter: number;
  readonly retry: { readonly interval: number; readonly step: number; readonly max: number };
  readonly missingConsumerTimeout: number;
  /** Absent: no TLS. */
  readonly tls: TlsSettings | undefined;
}

const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** @throws MESSAGING_BAD_OPTION or MESSAGING_BAD_TRANSPORT_URL. */
export function compileOptions(options: MessagingOptions): CompiledOptions {
  const rabbit = options.rabbit ?? {};
  const { brokers, vhost } = parseTransportUrl(options.transportUrl);
  if (rabbit.rabbit_quorum_queue && rabbit.rabbit_ha_queues) {
    throw bad('rabbit_ha_queues', 'it cannot be on together with rabbit_quorum_queue');
  }
  if (rabbit.rabbit_stream_fanout && !rabbit.rabbit_transient_quorum_queue) {
    throw bad('rabbit_stream_fanout', 'it needs rabbit_transient_quorum_queue');
  }
  const login = rabbit.rabbit_login_method ?? 'PLAIN';
  if (login !== 'PLAIN' && login !== 'AMQPLAIN') {
    throw bad('rabbit_login_method', `${login} is not supported; PLAIN is, which RabbitMQ allows by default`);
  }
  const strategy = rabbit.kombu_failover_strategy ?? 'round-robin';
  if (strategy !== 'round-robin' && strategy !== 'shuffle') {
    throw bad('kombu_failover_strategy', `${strategy} is neither round-robin nor shuffle`);
  }
  const seconds = (option: NumberOption, fallback: number, min: number) => number(rabbit, option, fallback, min) * 1000;
  return {
    brokers: strategy === 'shuffle' ? shuffled(brokers) : brokers,
    vhost,
    exchange: options.exchange ?? 'neutron',
    notificationTopics: options.notificationTopics ?? ['notifications'],
    connectionName: options.connectionName ?? 'astara',
    connectTimeout: options.connectTimeout ?? 5000,
    log: options.log ?? silent,
    queues: {
      quorum: rabbit.rabbit_quorum_queue ?? false,
      transientQuorum: rabbit.rabbit_transient_quorum_queue ?? false,
      streamFanout: rabbit.rabbit_stream_fanout ?? false,
      deliveryLimit: number(rabbit, 'rabbit_quorum_delivery_limit', 0, 0),
      maxMemoryLength: number(rabbit, 'rabbit_quorum_max_memory_length', 0, 0),
      maxMemoryBytes: number(rabbit, 'rabbit_quorum_max_memory_bytes', 0, 0),
      transientTtl: seconds('rabbit_transient_queues_ttl', 1800, 0),
      durable: rabbit.amqp_durable_queues ?? false,
      autoDelete: rabbit.amqp_auto_delete ?? false,
      mirrored: rabbit.rabbit_ha_queues ?? false,
    },
    prefetch: number(rabbit, 'rabbit_qos_prefetch_count', 0, 0),
    deadAfter: seconds('heartbeat_timeout_threshold', 60, 0),
    retry: {
      interval: seconds('rabbit_retry_interval', 1, 0.01),
      step: seconds('rabbit_retry_backoff', 2, 0),
      max: seconds('rabbit_interval_max', 5, 0.01),
    },
    missingConsumerTimeout: seconds('kombu_missing_consumer_retry_timeout', 60, 0),
    tls: rabbit.ssl ? compileTls(rabbit) : undefined,
  };
}

type NumberOption = {
  [Key in keyof RabbitOptions]-?: number extends RabbitOptions[Key] ? Key : never;
}[keyof RabbitOptions];

function number(rabbit: RabbitOptions, option: NumberOption, fallback: number, min: number): number {
  const value = rabbit[option] ?? fallback;
  if (!Number.isFinite(value) || value < min) throw bad(option, `${value} is not a number of at least ${min}`);
  return value;
}

function shuffled([...brokers]: readonly [Broker, ...Broker[]]): [Broker, ...Broker[]] {
  const [first, ...others] = brokers.map((broker) => ({ broker, at: Math.random() })).sort((a, b) => a.at - b.at);
  return [first?.broker ?? brokers[0], ...others.map(({ broker }) => broker)];
}

function bad(option: string, problem: string) {
  return errors.make('MESSAGING_BAD_OPTION', { option, problem });
}
