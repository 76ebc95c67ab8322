import type { FloatingIpCounters, LabelCounters } from '@astara/model/appliance/api/stats.ts';
import type { Appliance } from '../../appliance.ts';

export interface Traffic {
  readonly labels: LabelCounters[];
  readonly floating_ips: FloatingIpCounters[];
}

/** What the firewall has counted. */
export async function traffic(_appliance: Appliance): Promise<Traffic> {
  return { labels: [], floating_ips: [] };
}

/** The labels' counters, which begin anew. */
export async function takeLabels(appliance: Appliance): Promise<LabelCounters[]> {
  return (await traffic(appliance)).labels;
}
