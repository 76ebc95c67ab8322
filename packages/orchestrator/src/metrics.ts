import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric of the orchestrator. The reference page `docs/reference/metrics.md` is written from it, and a test holds it. */
export const metricSpecs = {
  convergence: {
    type: 'histogram',
    name: 'astara_convergence_seconds',
    help: 'From the moment Neutron committed the earliest change that was waiting until the appliance had it in force.',
    labels: ['kind'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  reconciles: {
    type: 'counter',
    name: 'astara_reconciles_total',
    help: 'Looks at a resource. Result: changed, unchanged, requeued, or the retry class of the error it ended with.',
    labels: ['kind', 'result'],
  },
  steps: {
    type: 'histogram',
    name: 'astara_step_seconds',
    help: 'How long the steps of the lifecycle take that do something (see lifecycle.md), also when they fail.',
    labels: ['step', 'result'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  resources: {
    type: 'gauge',
    name: 'astara_resources',
    help: 'Resources by the phase they are in.',
    labels: ['kind', 'phase'],
  },
  instances: {
    type: 'gauge',
    name: 'astara_instances',
    help: 'Service instances as the host agent showed them last: running or dead.',
    labels: ['state'],
  },
  breakerOpen: {
    type: 'gauge',
    name: 'astara_breaker_open',
    help: '1 while dead instances are not rebuilt because too many died at once.',
    labels: [],
  },
  providerUp: {
    type: 'gauge',
    name: 'astara_provider_up',
    help: '1 when the host agent answered the last health check.',
    labels: [],
  },
  queueDepth: {
    type: 'gauge',
    name: 'astara_queue_depth',
    help: 'Resources that are due and wait for a worker.',
    labels: ['priority'],
  },
  queueDelayed: {
    type: 'gauge',
    name: 'astara_queue_delayed',
    help: 'Resources that are not due yet: they back off, or were asked to be looked at later.',
    labels: [],
  },
  queueRunning: {
    type: 'gauge',
    name: 'astara_queue_running',
    help: 'Resources that are being worked on.',
    labels: [],
  },
  queueLongest: {
    type: 'gauge',
    name: 'astara_queue_longest_running_seconds',
    help: 'How long the oldest work under way has been under way.',
    labels: [],
  },
  queueAdds: {
    type: 'counter',
    name: 'astara_queue_adds_total',
    help: 'Additions to the queue, also those that found the resource waiting.',
    labels: ['priority'],
  },
  queueRetries: {
    type: 'counter',
    name: 'astara_queue_retries_total',
    help: 'Failures that are tried again, by retry class.',
    labels: ['class'],
  },
  queueWait: {
    type: 'histogram',
    name: 'astara_queue_wait_seconds',
    help: 'From the moment a resource was due until a worker took it.',
    labels: ['priority'],
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
  },
  queueWork: {
    type: 'histogram',
    name: 'astara_queue_work_seconds',
    help: 'How long a worker was busy with a resource.',
    labels: ['priority'],
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
  },
  neutronRpc: {
    type: 'histogram',
    name: 'astara_neutron_rpc_seconds',
    help: 'RPC calls to neutron-server, by method and result: ok, timeout, remote_error or disconnected.',
    labels: ['method', 'result'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  messagingConnected: {
    type: 'gauge',
    name: 'astara_messaging_connected',
    help: '1 while there is a connection to the message broker.',
    labels: [],
  },
} as const satisfies Record<string, MetricSpec>;

interface MetricSpec {
  readonly type: 'histogram' | 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

type Specs = typeof metricSpecs;
type Made<Spec extends MetricSpec> = Spec['type'] extends 'histogram'
  ? Histogram<Spec['labels'][number]>
  : Spec['type'] extends 'counter'
    ? Counter<Spec['labels'][number]>
    : Gauge<Spec['labels'][number]>;

export type Metrics = { readonly [Name in keyof Specs]: Made<Specs[Name]> } & {
  readonly registry: Registry;
  /** Runs `fn` before each scrape: for gauges that are read rather than kept. */
  readonly beforeScrape: (fn: () => void) => void;
  /** The text of `GET /metrics`. */
  readonly scrape: () => Promise<string>;
};

/** A set of metrics of its own; `process` adds those of the Node process (memory, CPU, event loop). */
export function createMetrics(options: { readonly process: boolean } = { process: false }): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  const made = Object.fromEntries(Object.entries(metricSpecs).map(([key, spec]) => [key, make(spec, registry)]));
  const readers: (() => void)[] = [];
  return {
    ...(made as { readonly [Name in keyof Specs]: Made<Specs[Name]> }),
    registry,
    beforeScrape: (fn) => {
      readers.push(fn);
    },
    scrape: () => {
      for (const read of readers) read();
      return registry.metrics();
    },
  };
}

function make(spec: MetricSpec, registry: Registry): Histogram | Counter | Gauge {
  const { name, help, labels, buckets } = spec;
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  if (spec.type === 'histogram') return new Histogram({ ...common, ...(buckets ? { buckets: [...buckets] } : {}) });
  return spec.type === 'counter' ? new Counter(common) : new Gauge(common);
}

/** The page `docs/reference/metrics.md`. */
export function metricsPage(): string {
  const rows = Object.values<MetricSpec>(metricSpecs).map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return `# Metrics of astara-orchestrator

<!-- Generated from packages/orchestrator/src/metrics.ts; a test holds it. -->

\`GET /metrics\` of the orchestrator's API, in Prometheus' text format. Beside these there are the usual ones of a Node process
(\`process_*\`, \`nodejs_*\`). All durations are in seconds.

| metric | type | labels | meaning |
|--|--|--|--|
${rows.join('\n')}
`;
}
