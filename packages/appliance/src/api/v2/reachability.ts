import type { Netns } from '@astara/kernel/contract.ts';
import type { ProbeResult, StatusAnswer } from '@astara/model/appliance/api/status.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Probe } from '@astara/model/appliance/probes.ts';
import { ipVersion } from '@astara/model/ip.ts';
import type { Appliance } from '../../appliance.ts';

/** How long an answer may take. ms */
const TIMEOUT = 1_000;

/** Whether the outside answers: what the configuration says to probe, or else the default gateways. All at once. */
export async function reachability(appliance: Appliance): Promise<NonNullable<StatusAnswer['reachability']>> {
  const signal = AbortSignal.timeout(TIMEOUT);
  const { netns } = appliance.home;
  const probes = await Promise.all(probesOf(appliance.config()).map((probe) => ask(netns, probe, signal)));
  const answered = (version: 4 | 6) => {
    const all = probes.filter(({ address }) => ipVersion(address) === version);
    return all.length === 0 ? null : all.some(({ ok }) => ok);
  };
  return { v4: answered(4), v6: answered(6), probes };
}

function probesOf(config: ApplianceConfig | undefined): readonly Probe[] {
  if (config?.probes !== undefined) return config.probes;
  const gateways = [config?.default_v4_gateway, config?.default_v6_gateway];
  return gateways.flatMap((address) => (address ? [{ type: 'ping' as const, address }] : []));
}

async function ask(netns: Netns, probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
  try {
    const ms = await (probe.type === 'ping'
      ? netns.ping(probe.address, signal)
      : netns.connectTcp(probe.address, probe.port, signal));
    return ms === undefined ? { ...probe, ok: false, error: 'no answer' } : { ...probe, ok: true, ms };
  } catch (error) {
    return { ...probe, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
