import { defineOptions } from '@astara/config/option.ts';

const flag = { type: 'boolean', default: false } as const;
const count = { type: 'integer', default: 0, min: 0 } as const;
const seconds = { type: 'number', unit: 'seconds', max: 86_400 } as const;
const file = {
  type: 'string',
  default: '',
  accepts: { text: 'an absolute path, or empty', test: (path: string) => path === '' || path.startsWith('/') },
} as const;

/**
 * `[oslo_messaging_rabbit]` under oslo.messaging's own names, in its own units, because the cloud's values decide how queues
 * are declared. The compiled section is what `@astara/messaging` takes as `rabbit`. Defaults differ from oslo's where they
 * are ours to choose: certificates are checked for the host's name, and the longest pause before connecting again is short.
 */
export const rabbitSection = defineOptions({
  section: 'oslo_messaging_rabbit',
  description:
    "RabbitMQ, as the cloud uses it: copy this section from neutron-server's configuration. A queue that is declared otherwise than neutron-server declares it is refused by the broker.",
  options: {
    ssl: { ...flag, aliases: ['rabbit_use_ssl'], description: 'Connect with TLS.' },
    ssl_version: {
      type: 'string',
      default: '',
      aliases: ['kombu_ssl_version'],
      description: 'TLS version; empty: the best that both sides have, from TLS 1.2 on.',
    },
    ssl_ca_file: {
      ...file,
      aliases: ['kombu_ssl_ca_certs'],
      description: "Authorities that sign the broker's certificate, PEM. Empty: the public ones.",
    },
    ssl_cert_file: { ...file, aliases: ['kombu_ssl_certfile'], description: 'Our certificate, PEM.' },
    ssl_key_file: { ...file, aliases: ['kombu_ssl_keyfile'], description: 'Its key, PEM.' },
    ssl_enforce_hostname_verification: {
      ...flag,
      default: true,
      description: "The broker's certificate must name the host of transport_url.",
    },
    rabbit_login_method: {
      type: 'string',
      choices: ['PLAIN', 'AMQPLAIN'],
      default: 'AMQPLAIN',
      description: 'How to log in. PLAIN is used for both; RabbitMQ allows it by default.',
    },
    amqp_durable_queues: { ...flag, description: 'Request queues and exchanges survive a restart of the broker.' },
    amqp_auto_delete: { ...flag, description: 'Request queues and exchanges go with their last user.' },
    rabbit_ha_queues: { ...flag, description: 'Declare queues with x-ha-policy. Not with rabbit_quorum_queue.' },
    rabbit_quorum_queue: { ...flag, description: 'Quorum queues for requests.' },
    rabbit_transient_quorum_queue: { ...flag, description: 'Quorum queues for replies and fanouts, too.' },
    rabbit_stream_fanout: {
      ...flag,
      description: 'Fanouts go through streams. Needs rabbit_transient_quorum_queue.',
    },
    rabbit_quorum_delivery_limit: {
      ...count,
      description: 'Deliveries after which a quorum queue drops a message; 0: no limit.',
    },
    rabbit_quorum_max_memory_length: {
      ...count,
      aliases: ['rabbit_quroum_max_memory_length'],
      unit: 'messages',
      description: 'Messages of a quorum queue kept in memory; 0: no limit.',
    },
    rabbit_quorum_max_memory_bytes: {
      ...count,
      aliases: ['rabbit_quroum_max_memory_bytes'],
      unit: 'bytes',
      description: 'Bytes of a quorum queue kept in memory; 0: no limit.',
    },
    rabbit_transient_queues_ttl: {
      ...seconds,
      default: 1800,
      min: 0,
      description: 'How long unused reply and fanout queues live; 0: for ever.',
    },
    rabbit_qos_prefetch_count: {
      ...count,
      max: 65_535,
      unit: 'messages',
      description: 'Messages delivered ahead of their acknowledgement; 0: no limit.',
    },
    heartbeat_timeout_threshold: {
      ...seconds,
      default: 60,
      min: 0,
      max: 65_535,
      description: 'Silence after which the broker counts as dead; 0: no heartbeats.',
    },
    rabbit_retry_interval: {
      ...seconds,
      default: 1,
      min: 0.01,
      description: 'Pause before a failed round over all brokers is repeated.',
    },
    rabbit_retry_backoff: { ...seconds, default: 2, min: 0, description: 'What that pause grows by each time.' },
    rabbit_interval_max: { ...seconds, default: 5, min: 0.01, description: 'What that pause never exceeds.' },
    kombu_failover_strategy: {
      type: 'string',
      choices: ['round-robin', 'shuffle'],
      default: 'round-robin',
      description: 'Which broker of transport_url comes next.',
    },
    kombu_missing_consumer_retry_timeout: {
      ...seconds,
      default: 60,
      min: 0,
      aliases: ['kombu_reconnect_timeout'],
      description: 'How long a cast, or an answer, waits for the queue it goes to.',
    },
  },
  ignored: [
    'conn_pool_min_size',
    'conn_pool_ttl',
    'direct_mandatory_flag',
    'enable_cancel_on_failover',
    'heartbeat_in_pthread',
    'heartbeat_rate',
    'hostname',
    'kombu_compression',
    'kombu_reconnect_delay',
    'kombu_reconnect_splay',
    'processname',
    'rpc_conn_pool_size',
    'rpc_reply_exchange',
    'ssl_enforce_fips_mode',
    'use_queue_manager',
  ],
});
