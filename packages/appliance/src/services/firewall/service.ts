import { planConntrack } from '../conntrack/plan.ts';
import type { Known, PlannedStep, Service } from '../service.ts';
import { desiredFirewall } from './desired.ts';
import { planFirewall } from './plan.ts';
import { type FirewallChange, FirewallRunner } from './runner.ts';
import { closedFirewall, type FirewallState, openFirewall } from './state.ts';

export const firewallService: Service<FirewallState, FirewallChange, FirewallRunner> = {
  name: 'firewall',
  reads: ['networks', 'floating_ips', 'snat', 'metadata'],
  compile: desiredFirewall,
  plan: planSteps,
  initial: closedFirewall,
  open: (context) => new FirewallRunner(context),
};

function planSteps(found: Known<FirewallState>, after: FirewallState): readonly PlannedStep<FirewallChange>[] {
  const before = found.unknown ? openFirewall : found.value;
  const steps: PlannedStep<FirewallChange>[] = [];
  const script = planFirewall(before, after);
  if (script !== '') {
    // Where there was no table, what was there dropped nothing: the revert leaves everything dropped instead.
    const undo = planFirewall(after, { ...before, table: true });
    steps.push({
      phase: 'switch',
      what: before.table ? 'elements' : 'table',
      change: { kind: 'nft', script },
      undo: { kind: 'nft', script: undo },
      atomic: true,
      detail: () => script.trimEnd().split('\n'),
    });
  }
  const addresses = planConntrack(before.elements, after.elements);
  if (addresses.length > 0) {
    steps.push({
      phase: 'remove',
      what: `connections of ${addresses.length} addresses`,
      change: { kind: 'flush', addresses },
      undo: undefined, // a connection that was ended is made again by its ends
    });
  }
  return steps;
}
