import { Counter, Gauge, Registry } from 'prom-client';
import type { Appliance } from '../../appliance.ts';
import { dhcpService } from '../../services/dhcp/service.ts';
import { conntrack, interfaceCounters } from './counters.ts';
import { floatingIpCounters, labelCounters } from './traffic.ts';

/**
 * Every metric of an appliance, declared once; `docs/reference/appliance-metrics.md` is generated from this. They are of one scrape:
 * what is counted is counted by the kernel and by the log of events.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `astara_appliance_${name}`, help, labelNames, registers });
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `astara_appliance_${name}_total`, help, labelNames, registers });
  return {
    registry,
    generation: gauge('generation', 'Generation of the configuration in force; absent before the first.'),
    appliedAt: gauge('applied_timestamp_seconds', 'When it came into force, since 1970.'),
    lastApply: gauge('last_apply_seconds', 'How long the last commit took, as far as it is remembered.'),
    pending: gauge('confirmation_pending', '1 while the configuration in force waits to be confirmed.'),
    wanted: gauge('service_wanted', '1 when the configuration asks for the service.', ['service']),
    running: gauge('service_running', '1 when the service does what it is to do.', ['service']),
    events: counter('events', 'What `GET /v2/events` has told of since the agent was started, by event.', ['event']),
    interfaceBytes: counter('interface_bytes', 'Bytes of an interface.', ['interface', 'direction']),
    interfacePackets: counter('interface_packets', 'Packets of an interface.', ['interface', 'direction']),
    interfaceErrors: counter('interface_errors', 'Packets that were bad.', ['interface', 'direction']),
    interfaceDropped: counter('interface_dropped', 'Packets that were dropped.', ['interface', 'direction']),
    labelBytes: counter('label_bytes', 'Bytes exchanged with the prefixes of a label.', ['label', 'direction']),
    labelPackets: counter('label_packets', 'Packets exchanged with the prefixes of a label.', ['label', 'direction']),
    floatingIpBytes: counter('floating_ip_bytes', 'Bytes of a floating IP; with `?floating_ips=true`.', [
      'floating_ip',
      'direction',
    ]),
    floatingIpPackets: counter('floating_ip_packets', 'Packets of a floating IP; with `?floating_ips=true`.', [
      'floating_ip',
      'direction',
    ]),
    conntrackEntries: gauge('conntrack_entries', 'Connections that the kernel tracks.'),
    conntrackLimit: gauge('conntrack_limit', 'Connections that it can track; new ones are dropped beyond.'),
    leases: gauge('dhcp_leases', 'Leases of DHCP in use.'),
  };
}

/** The metrics of now, in Prometheus' text format. */
export async function scrape(appliance: Appliance, { floatingIps }: { floatingIps: boolean }): Promise<string> {
  const [services, interfaces, tracked, labels, addresses, leases] = await Promise.all([
    appliance.status(),
    interfaceCounters(appliance.home),
    conntrack(appliance.home),
    labelCounters(appliance),
    floatingIps ? floatingIpCounters(appliance) : [],
    appliance.runner(dhcpService).leases(),
  ]);
  const metrics = createMetrics();
  const { revision, pending, events } = appliance;
  if (revision !== undefined) {
    metrics.generation.set(revision.generation);
    metrics.appliedAt.set(Date.parse(revision.applied_at) / 1000);
  }
  const last = events.since(0).findLast(({ event }) => event === 'applied')?.data.ms;
  if (typeof last === 'number') metrics.lastApply.set(last / 1000);
  metrics.pending.set(pending === undefined ? 0 : 1);
  for (const { name, wanted, running } of services) {
    metrics.wanted.set({ service: name }, wanted ? 1 : 0);
    metrics.running.set({ service: name }, running ? 1 : 0);
  }
  for (const [event, count] of events.counts) metrics.events.inc({ event }, count);
  for (const card of interfaces) {
    for (const direction of ['rx', 'tx'] as const) {
      const labels = { interface: card.ifname, direction };
      metrics.interfaceBytes.inc(labels, card[`${direction}_bytes`]);
      metrics.interfacePackets.inc(labels, card[`${direction}_packets`]);
      metrics.interfaceErrors.inc(labels, card[`${direction}_errors`]);
      metrics.interfaceDropped.inc(labels, card[`${direction}_dropped`]);
    }
  }
  for (const direction of ['in', 'out'] as const) {
    for (const label of labels) {
      metrics.labelBytes.inc({ label: label.name, direction }, label[`bytes_${direction}`]);
      metrics.labelPackets.inc({ label: label.name, direction }, label[`packets_${direction}`]);
    }
    for (const { floating_ip, ...counted } of addresses) {
      metrics.floatingIpBytes.inc({ floating_ip, direction }, counted[`bytes_${direction}`]);
      metrics.floatingIpPackets.inc({ floating_ip, direction }, counted[`packets_${direction}`]);
    }
  }
  if (tracked !== null) {
    metrics.conntrackEntries.set(tracked.count);
    metrics.conntrackLimit.set(tracked.max);
  }
  metrics.leases.set(leases.length);
  return metrics.registry.metrics();
}
