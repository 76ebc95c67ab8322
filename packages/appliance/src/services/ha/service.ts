import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { linkService } from '../link/service.ts';
import type { CompileContext, Known, PlannedStep, Service, Whole } from '../service.ts';
import { planWhole } from '../service.ts';
import { desiredHa } from './desired.ts';
import { HaRunner } from './runner.ts';
import { type HaState, haState } from './state.ts';

export const haService: Service<HaState | undefined, Whole<HaState | undefined>, HaRunner> = {
  name: 'ha',
  // What a router that is alone would have is the link service's knowledge.
  reads: [...new Set<keyof ApplianceConfig>(['ha', ...linkService.reads])],
  compile: (config: ApplianceConfig, context: CompileContext) =>
    haState(desiredHa(config, context), context.runDirInside),
  plan,
  open: (context) => new HaRunner(context),
};

/**
 * A member that goes on takes its new addresses before the firewall lets anybody to them, and gives up an interface before the
 * link service takes that down: keepalived would see a fault. One that joins does so last, when everything else is ready.
 */
function plan(
  before: Known<HaState | undefined>,
  after: HaState | undefined,
): readonly PlannedStep<Whole<HaState | undefined>>[] {
  const goesOn = !before.unknown && before.value !== undefined;
  return planWhole(before, after, same).map((step) => ({
    ...step,
    phase: goesOn ? ('build' as const) : step.phase,
    what: describe(before, after),
    detail: () => (after === undefined ? [] : after.keepalived.trimEnd().split('\n')),
  }));
}

function describe(before: Known<HaState | undefined>, after: HaState | undefined): string {
  if (after === undefined) return 'off';
  if (before.unknown || before.value === undefined) return `member of router ${after.node.vrid}`;
  const [old, now] = [before.value, after].map(
    ({ addresses }) => new Set(addresses.map(({ ifname, cidr }) => `${ifname} ${cidr}`)),
  );
  const added = now?.difference(old ?? new Set()).size ?? 0;
  const removed = old?.difference(now ?? new Set()).size ?? 0;
  return `${added} virtual addresses more, ${removed} less`;
}

function same(a: HaState | undefined, b: HaState | undefined): boolean {
  return a?.keepalived === b?.keepalived && a?.conntrackd === b?.conntrackd;
}
