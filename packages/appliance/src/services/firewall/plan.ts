import { planConntrack } from '../conntrack/plan.ts';
import type { Known, PlannedStep } from '../service.ts';
import { renderChange, renderOffload, renderTable } from './render.ts';
import type { FirewallChange } from './runner.ts';
import { type FirewallState, openFirewall } from './state.ts';

/** The script that leads from one state to the other, in one transaction; empty when they are equal. */
export function planScript(before: FirewallState, after: FirewallState): string {
  if (!after.table) return before.table ? 'delete table inet astara\n' : '';
  return before.table ? renderChange(before, after) : renderTable(after);
}

export function planFirewall(
  found: Known<FirewallState>,
  after: FirewallState,
): readonly PlannedStep<FirewallChange>[] {
  const before = found.unknown ? openFirewall : found.value;
  const steps: PlannedStep<FirewallChange>[] = [];
  const script = planScript(before, after);
  if (script !== '') {
    steps.push({
      phase: 'switch',
      what: before.table ? summary(script) : 'table',
      change: { kind: 'nft', script },
      undo: { kind: 'nft', script: undoScript(before, after) },
      atomic: true,
      detail: () => script.trimEnd().split('\n'),
    });
  }
  // By itself, because a kernel may refuse it.
  const offload = renderOffload(before.table ? before.offload : [], after.offload);
  if (offload !== '') {
    steps.push({
      phase: 'switch',
      what: after.offload.length === 0 ? 'no flow offload' : 'flow offload',
      change: { kind: 'offload', script: offload, devices: after.offload },
      undo: { kind: 'offload', script: renderOffload(after.offload, before.offload), devices: before.offload },
      atomic: true,
      detail: () => offload.trimEnd().split('\n'),
    });
  }
  const ended = planConntrack(before, after);
  if (ended !== undefined) {
    // A connection that was ended is made again by its ends.
    steps.push({ phase: 'remove', what: 'connections', change: { kind: 'flush', ended }, undo: undefined });
  }
  return steps;
}

/** Where there was no table, what was there dropped nothing: the revert leaves everything dropped instead. */
function undoScript(before: FirewallState, after: FirewallState): string {
  return planScript(after, { ...before, table: true });
}

/** Such as `2 elements, 1 chain`. */
function summary(script: string): string {
  const lines = script.trimEnd().split('\n');
  const elements = lines
    .filter((line) => /^(add|delete) element/.test(line))
    .reduce((sum, line) => sum + line.split(', ').length, 0);
  const chains = new Set(
    lines.flatMap((line) => /^(?:add|flush|delete) (?:chain|rule) inet astara (\S+)/.exec(line)?.[1] ?? []),
  );
  const parts = [
    ...(elements === 0 ? [] : [`${elements} element${elements === 1 ? '' : 's'}`]),
    ...(chains.size === 0 ? [] : [`${chains.size} chain${chains.size === 1 ? '' : 's'}`]),
  ];
  return parts.length === 0 ? 'objects' : parts.join(', ');
}
