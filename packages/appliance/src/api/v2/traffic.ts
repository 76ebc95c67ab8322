import type { FloatingIpCounters, LabelCounters } from '@astara/model/appliance/api/stats.ts';
import type { Appliance } from '../../appliance.ts';
import { firewallService } from '../../services/firewall/service.ts';

const none = Object.freeze({ packets: 0, bytes: 0 });

/** What was exchanged with the prefixes of each label; with `reset`, the counters begin anew. */
export async function labelCounters(appliance: Appliance, { reset = false } = {}): Promise<LabelCounters[]> {
  const config = appliance.config();
  if (config === undefined) return [];
  const labels = await appliance.runner(firewallService).labels(config, { reset });
  return labels.map(({ name, in: received, out: sent }) => ({
    name,
    bytes_in: received.bytes,
    packets_in: received.packets,
    bytes_out: sent.bytes,
    packets_out: sent.packets,
  }));
}

/** Of every floating IP of the configuration, also of those that port forwardings share. */
export async function floatingIpCounters(appliance: Appliance): Promise<FloatingIpCounters[]> {
  const { floating_ips = [], port_forwardings = [] } = appliance.config() ?? {};
  const addresses = new Set([...floating_ips, ...port_forwardings].map(({ floating_ip }) => floating_ip));
  if (addresses.size === 0) return [];
  const counters = await appliance.runner(firewallService).addresses();
  return [...addresses].map((floating_ip) => {
    const { received = none, sent = none } = counters.get(floating_ip) ?? {};
    return {
      floating_ip,
      bytes_in: received.bytes,
      packets_in: received.packets,
      bytes_out: sent.bytes,
      packets_out: sent.packets,
    };
  });
}
