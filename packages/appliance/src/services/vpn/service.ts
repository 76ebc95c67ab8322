import { canonicalJson } from '@astara/model/digest.ts';
import { type Known, known, type PlannedStep, type Service, type Whole } from '../service.ts';
import { desiredVpn } from './desired.ts';
import type { ConnectionNode } from './nodes.ts';
import { sameConnection, VpnRunner, type VpnState } from './runner.ts';

export const vpnService: Service<VpnState, Whole<VpnState>, VpnRunner> = {
  name: 'vpn',
  reads: ['vpn'],
  compile: (config, { warn }) => desiredVpn(config, warn),
  plan: planVpn,
  open: (context) => new VpnRunner(context),
};

function planVpn(before: Known<VpnState>, after: VpnState): readonly PlannedStep<Whole<VpnState>>[] {
  const found = before.unknown ? undefined : before.value;
  const names = new Set([...(found?.connections.keys() ?? []), ...(after?.connections.keys() ?? [])]);
  const lines: string[] = [];
  for (const name of names) {
    const [old, now] = [found?.connections.get(name), after?.connections.get(name)];
    if (old !== undefined && now !== undefined && sameConnection(old, now)) continue;
    if (old !== undefined) lines.push(`unload ${name}`);
    if (now !== undefined) lines.push(`load ${name}: ${ends(now)}`);
  }
  const daemon = canonicalJson(found?.charon ?? null) !== canonicalJson(after?.charon ?? null);
  if (!before.unknown && !daemon && lines.length === 0) return [];
  return [
    {
      phase: 'serve',
      what: after === undefined ? 'off' : count(lines.length),
      change: { from: before, to: after },
      undo: before.unknown ? undefined : { from: known(after), to: before.value },
      detail: () => [...(daemon ? [after === undefined ? 'stop charon' : 'settings of charon'] : []), ...lines],
    },
  ];
}

function count(changes: number): string {
  return `${changes} ${changes === 1 ? 'change' : 'changes'} of connections`;
}

function ends({ version, local, remote, tunnels }: ConnectionNode): string {
  return `IKEv${version} ${local} to ${remote ?? 'any peer'}, ${tunnels.length} tunnels`;
}
