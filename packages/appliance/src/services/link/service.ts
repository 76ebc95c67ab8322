import type { Known, PlannedStep, Service } from '../service.ts';
import { desiredLinks } from './desired.ts';
import { planLinks } from './plan.ts';
import { type LinkChange, LinkRunner } from './runner.ts';
import { type LinkState, noLinks } from './state.ts';

export const linkService: Service<LinkState, LinkChange, LinkRunner> = {
  name: 'link',
  reads: ['networks', 'floating_ips', 'static_routes', 'default_v4_gateway', 'default_v6_gateway'],
  compile: desiredLinks,
  plan: planSteps,
  open: (context) => new LinkRunner(context),
};

/** Built before the firewall switches, taken away after it, and told to the segments at the end. */
function planSteps(found: Known<LinkState>, after: LinkState): readonly PlannedStep<LinkChange>[] {
  const before = found.unknown ? noLinks : found.value;
  const there = planLinks(before, after);
  const back = planLinks(after, before);
  const steps: PlannedStep<LinkChange>[] = [];
  if (there.build.length > 0 || Object.keys(there.sysctls).length > 0) {
    steps.push({
      phase: 'build',
      what: `${there.build.length} additions`,
      change: { kind: 'kernel', sysctls: there.sysctls, operations: there.build, removes: false },
      // What was replaced comes back before what was added goes.
      undo: { kind: 'kernel', sysctls: back.sysctls, operations: [...back.build, ...back.remove], removes: true },
      detail: () => [
        ...Object.entries(there.sysctls).map(([key, value]) => `${key} = ${value}`),
        ...there.build.map(text),
      ],
    });
  }
  if (there.remove.length > 0) {
    steps.push({
      phase: 'remove',
      what: `${there.remove.length} removals`,
      change: { kind: 'kernel', sysctls: {}, operations: there.remove, removes: true },
      undo: { kind: 'kernel', sysctls: {}, operations: back.build, removes: true },
      detail: () => there.remove.map(text),
    });
  }
  const fresh = newAddresses(before, after);
  if (fresh.size > 0) {
    const count = [...fresh.values()].reduce((sum, addresses) => sum + addresses.length, 0);
    const change: LinkChange = { kind: 'announce', addresses: fresh };
    steps.push({ phase: 'serve', what: `${count} addresses announced`, change, undo: undefined });
  }
  return steps;
}

function newAddresses(before: LinkState, after: LinkState): ReadonlyMap<string, readonly string[]> {
  const fresh = new Map<string, string[]>();
  for (const [key, { ifname, cidr }] of after.addresses) {
    if (before.addresses.has(key)) continue;
    const address = cidr.slice(0, cidr.indexOf('/'));
    const same = fresh.get(ifname);
    if (same === undefined) fresh.set(ifname, [address]);
    else same.push(address);
  }
  return fresh;
}

function text({ op, ...rest }: { readonly op: string }): string {
  return [op, ...Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`)].join(' ');
}
