import type { Known, PlannedStep } from '../service.ts';
import { farewell, leaving } from './farewell.ts';
import type { BgpNode } from './nodes.ts';
import { renderRouting } from './render.ts';
import { neighborName } from './sessions.ts';
import { type RoutingChange, type RoutingState, sameRouting } from './state.ts';

export function planRouting(before: Known<RoutingState>, after: RoutingState): readonly PlannedStep<RoutingChange>[] {
  if (!before.unknown && sameRouting(before.value, after)) return [];
  const former = before.unknown ? undefined : before.value;
  const undo: RoutingChange | undefined = before.unknown ? undefined : { kind: 'configure', to: former };
  const configure: PlannedStep<RoutingChange> = {
    phase: 'serve',
    what: after === undefined ? 'off' : 'configuration',
    change: { kind: 'configure', to: after },
    undo,
    detail: () => changes(former, after),
  };
  const ra = former === undefined ? undefined : farewell(former.node.ra, after?.node.ra ?? []);
  if (former === undefined || ra === undefined) return [configure];
  const ifnames = leaving(former.node.ra, ra);
  const { conf } = renderRouting({ ...former.node, ra }, former.directory);
  // Before anything is taken away: see farewell.ts.
  const tell: PlannedStep<RoutingChange> = {
    phase: 'build',
    what: `farewell to hosts on ${ifnames.length} interfaces`,
    change: { kind: 'farewell', conf, ifnames },
    undo,
    detail: () => ifnames.map((ifname) => `${ifname}: lifetime 0 for what goes`),
  };
  return [tell, configure];
}

/** For people; without secrets. */
function changes(before: RoutingState, after: RoutingState): readonly string[] {
  const [old, now] = [before?.node, after?.node];
  return [
    ...difference('advertise on', json(old?.ra ?? [], 'ifname'), json(now?.ra ?? [], 'ifname')),
    ...difference('announce', plain(old?.bgp), plain(now?.bgp)),
    ...difference('neighbour', sessions(old?.bgp), sessions(now?.bgp)),
  ];
}

function difference(what: string, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const lines = [...before.keys()].filter((key) => !after.has(key)).map((key) => `- ${what} ${key}`);
  for (const [key, value] of after) {
    const former = before.get(key);
    if (former !== value) lines.push(`${former === undefined ? '+' : '~'} ${what} ${key}`);
  }
  return lines;
}

function plain(bgp: BgpNode | undefined): ReadonlyMap<string, string> {
  return new Map([...(bgp?.floating ?? []), ...(bgp?.announced ?? [])].map((cidr) => [cidr, '']));
}

function sessions(bgp: BgpNode | undefined): ReadonlyMap<string, string> {
  return new Map((bgp?.neighbors ?? []).map((node) => [neighborName(node), JSON.stringify([bgp?.asn, node])]));
}

function json<T>(all: readonly T[], key: keyof T): ReadonlyMap<string, string> {
  return new Map(all.map((node) => [String(node[key]), JSON.stringify(node)]));
}
