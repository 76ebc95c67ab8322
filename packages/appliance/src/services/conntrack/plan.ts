import type { Flow } from '@astara/kernel/contract.ts';
import type { FirewallState } from '../firewall/state.ts';
import { allows, type Policies } from './policies.ts';

/** Tracked connections that must end. Those of what stays are never touched. */
export interface Ended {
  /** Floating IPs that are gone or lead elsewhere. */
  readonly floating: readonly string[];
  /** External addresses that internal hosts no longer leave with. */
  readonly sources: readonly string[];
  /** `<address> . <protocol> . <port>` or `… . <first>-<last>`: what is no longer forwarded, or elsewhere. */
  readonly forwarded: readonly string[];
  /** Interfaces whose firewall group has changed, and what it allows now. */
  readonly interfaces: readonly string[];
  readonly policies: Policies | undefined;
}

/** What ends once the firewall has changed; undefined when nothing does, so that nobody looks. */
export function planConntrack(before: FirewallState, after: FirewallState): Ended | undefined {
  const [old, now] = [before.elements, after.elements];
  const floating: string[] = [];
  if (old.fip_in !== now.fip_in)
    for (const [address, fixed] of old.fip_in) if (now.fip_in.get(address) !== fixed) floating.push(address);
  const kept = new Set(now.snat_to.values());
  const sources = new Set([...old.snat_to.values()].filter((address) => !kept.has(address)));
  const forwarded = (['forwarded', 'forwarded_range'] as const).flatMap((name) =>
    [...old[name]].filter(([key, value]) => now[name].get(key) !== value).map(([key]) => key),
  );
  const interfaces = changedGroups(before, after);
  if (floating.length + sources.size + forwarded.length + interfaces.length === 0) return undefined;
  const policies = interfaces.length === 0 ? undefined : after.policies;
  return { floating, sources: [...sources], forwarded, interfaces, policies };
}

function changedGroups(before: FirewallState, after: FirewallState): string[] {
  const changed = (direction: 'group_ingress' | 'group_egress', ifname: string, jump: string) => {
    if (before.elements[direction].get(ifname) !== jump) return true;
    const chain = jump.replace('jump ', '');
    return before.chains.get(chain)?.keys.join() !== after.chains.get(chain)?.keys.join();
  };
  const found = new Set<string>();
  for (const direction of ['group_ingress', 'group_egress'] as const) {
    for (const [ifname, jump] of after.elements[direction]) if (changed(direction, ifname, jump)) found.add(ifname);
  }
  return [...found];
}

/** Says of each connection whether it ends. */
export function endedFlows(ended: Ended): (flow: Flow) => boolean {
  const floating = new Set(ended.floating);
  const sources = new Set(ended.sources);
  const interfaces = new Set(ended.interfaces);
  const ports = new Set<string>();
  const ranges: { prefix: string; first: number; last: number }[] = [];
  for (const key of ended.forwarded) {
    const [, prefix = '', first, last] = /^(.* \. )(\d+)-(\d+)$/.exec(key) ?? [];
    if (first === undefined) ports.add(key);
    else ranges.push({ prefix, first: Number(first), last: Number(last) });
  }
  return (flow) => {
    const { original, reply, protocol } = flow;
    if (floating.has(original.destination) || floating.has(reply.destination)) return true;
    // Not what the appliance itself says with that address.
    if (sources.has(reply.destination) && original.source !== reply.destination) return true;
    const port = original.destinationPort;
    if (port !== undefined && ports.size + ranges.length > 0) {
      const prefix = `${original.destination} . ${protocol} . `;
      if (ports.has(prefix + port)) return true;
      if (ranges.some((range) => range.prefix === prefix && range.first <= port && port <= range.last)) return true;
    }
    return ended.policies !== undefined && !allows(ended.policies, interfaces, flow);
  };
}
