import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric of the agent, declared once. `docs/reference/agent-metrics.md` is generated from this. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    instances: new Gauge({
      name: 'astara_agent_instances',
      help: 'Service instances on this host, by state.',
      labelNames: ['state'] as const,
      registers,
    }),
    ensureSeconds: new Histogram({
      name: 'astara_agent_ensure_seconds',
      help: 'From the request for an instance until it exists and has its attachments.',
      labelNames: ['outcome'] as const,
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
    destroySeconds: new Histogram({
      name: 'astara_agent_destroy_seconds',
      help: 'From the request to remove an instance until nothing of it is left.',
      labelNames: ['outcome'] as const,
      buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
    applySeconds: new Histogram({
      name: 'astara_agent_apply_seconds',
      help: 'From the request to apply a configuration until the appliance has it in force.',
      labelNames: ['outcome'] as const,
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
    daemonStarts: new Counter({
      name: 'astara_agent_daemon_starts_total',
      help: 'Daemons started inside instances, by program; after the first configuration these are restarts.',
      labelNames: ['program'] as const,
      registers,
    }),
    adopted: new Gauge({
      name: 'astara_agent_adopted',
      help: 'What this agent found at its start: instances running, dead, and left-overs removed.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    adoptSeconds: new Gauge({
      name: 'astara_agent_adopt_seconds',
      help: 'How long it took to adopt what earlier agents had made.',
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
