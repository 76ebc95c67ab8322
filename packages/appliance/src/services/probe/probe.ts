import type { Netns } from '@astara/kernel/contract.ts';
import type { ProbeResult, StatusAnswer } from '@astara/model/appliance/api/status.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Probe } from '@astara/model/appliance/probes.ts';
import { ipVersion } from '@astara/model/ip.ts';
import { defaultHops } from '../link/routes.ts';

/** A next hop of the default route: many answer no ping, but ARP (IPv6: ND) they must. */
interface GatewayProbe {
  readonly type: 'gateway';
  readonly address: string;
  readonly ifname: string;
}

/**
 * Whether the outside answers, asked from inside the appliance, all at once: what `config.probes` says, or else the default
 * gateways. Nothing is spawned. Whoever has not answered when `signal` aborts does not.
 */
export async function probeOutside(
  netns: Netns,
  config: ApplianceConfig | undefined,
  signal: AbortSignal,
): Promise<NonNullable<StatusAnswer['reachability']>> {
  const probes = await Promise.all(probesOf(config).map((probe) => resultOf(netns, probe, signal)));
  const answered = (version: 4 | 6) => {
    const all = probes.filter(({ address }) => ipVersion(address) === version);
    return all.length === 0 ? null : all.some(({ ok }) => ok);
  };
  return { v4: answered(4), v6: answered(6), probes };
}

function probesOf(config: ApplianceConfig | undefined): readonly (Probe | GatewayProbe)[] {
  if (config === undefined) return [];
  if (config.probes !== undefined) return config.probes;
  return defaultHops(config).flatMap(({ via, ifname }) => {
    return via === undefined || ifname === undefined ? [] : [{ type: 'gateway' as const, address: via, ifname }];
  });
}

async function resultOf(netns: Netns, probe: Probe | GatewayProbe, signal: AbortSignal): Promise<ProbeResult> {
  const { type, address } = probe;
  const asked = { type, address, ...(type === 'tcp' ? { port: probe.port } : {}) };
  try {
    const ms = await ask(netns, probe, signal);
    return ms === undefined ? { ...asked, ok: false, error: 'no answer' } : { ...asked, ok: true, ms };
  } catch (error) {
    return { ...asked, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Milliseconds until the answer. */
async function ask(netns: Netns, probe: Probe | GatewayProbe, signal: AbortSignal): Promise<number | undefined> {
  if (probe.type === 'ping') return netns.ping(probe.address, signal);
  if (probe.type === 'tcp') return netns.connectTcp(probe.address, probe.port, signal);
  const start = performance.now();
  const mac = await netns.resolve(probe.ifname, probe.address, signal);
  return mac === undefined ? undefined : Math.round((performance.now() - start) * 1000) / 1000;
}
