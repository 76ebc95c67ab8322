import type { NetOperation } from '@astara/kernel/contract.ts';
import { canonicalJson } from '@astara/model/digest.ts';
import { planConntrack } from '../services/conntrack/plan.ts';
import type { DhcpState } from '../services/dhcp/runner.ts';
import { planFirewall } from '../services/firewall/plan.ts';
import { planLinks } from '../services/link/plan.ts';
import type { MetadataState } from '../services/metadata/state.ts';
import type { RaState } from '../services/ra/runner.ts';
import type { Known, State } from './state.ts';

/** One thing to do, and how to undo it. Data only: {@link ./transaction.ts} does it. */
export type Step =
  | {
      readonly service: 'link';
      readonly what: string;
      readonly sysctls: Readonly<Record<string, string>>;
      readonly operations: readonly NetOperation[];
      readonly undo: {
        readonly sysctls: Readonly<Record<string, string>>;
        readonly operations: readonly NetOperation[];
      };
    }
  | { readonly service: 'firewall'; readonly what: string; readonly script: string; readonly undo: string }
  | { readonly service: 'conntrack'; readonly what: string; readonly addresses: readonly string[] }
  | Change<'dhcp', DhcpState | undefined>
  | Change<'ra', RaState>
  | Change<'metadata', MetadataState | undefined>;

interface Change<Service extends string, T> {
  readonly service: Service;
  readonly what: string;
  readonly from: Known<T>;
  readonly to: T;
}

/**
 * What leads from one state to the other, in the order in which it must happen: what can be reached is built first, the firewall
 * changes in one transaction, what it no longer lets through is taken away and its connections end; then the daemons.
 * Pure; empty when the states are equal.
 */
export function plan(before: State, after: State): Step[] {
  const steps: Step[] = [];
  const there = planLinks(before.links, after.links);
  const back = planLinks(after.links, before.links);

  if (there.build.length > 0 || Object.keys(there.sysctls).length > 0) {
    steps.push({
      service: 'link',
      what: `${there.build.length} additions`,
      sysctls: there.sysctls,
      operations: there.build,
      // What was replaced comes back before what was added goes.
      undo: { sysctls: back.sysctls, operations: [...back.build, ...back.remove] },
    });
  }
  const script = planFirewall(before.firewall, after.firewall);
  if (script !== '') {
    // Where there was no table, what was there dropped nothing: the revert leaves everything dropped instead.
    const undo = planFirewall(after.firewall, { ...before.firewall, table: true });
    steps.push({ service: 'firewall', what: before.firewall.table ? 'elements' : 'table', script, undo });
  }
  if (there.remove.length > 0) {
    steps.push({
      service: 'link',
      what: `${there.remove.length} removals`,
      sysctls: {},
      operations: there.remove,
      undo: { sysctls: {}, operations: back.build },
    });
  }
  const flush = planConntrack(before.firewall.elements, after.firewall.elements);
  if (flush.length > 0) {
    steps.push({ service: 'conntrack', what: `connections of ${flush.length} addresses`, addresses: flush });
  }
  addChange(steps, 'dhcp', before.dhcp, after.dhcp, sameDhcp);
  addChange(steps, 'ra', before.ra, after.ra, (a, b) => a === b);
  addChange(steps, 'metadata', before.metadata, after.metadata, sameMetadata);
  return steps;
}

function addChange<T>(
  steps: Step[],
  service: 'dhcp' | 'ra' | 'metadata',
  from: Known<T>,
  to: Known<T>,
  same: (a: T, b: T) => boolean,
): void {
  if (to.unknown || (!from.unknown && same(from.value, to.value))) return;
  steps.push({ service, what: to.value === undefined ? 'off' : 'configuration', from, to: to.value } as Step);
}

function sameDhcp(a: DhcpState | undefined, b: DhcpState | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  const [x, y] = [a.files, b.files];
  return x.conf === y.conf && x.hosts === y.hosts && x.options === y.options && x.names === y.names;
}

function sameMetadata(a: MetadataState | undefined, b: MetadataState | undefined): boolean {
  return a === b || comparable(a) === comparable(b);
}

function comparable(state: MetadataState | undefined): string {
  if (state === undefined) return '';
  const clients = [...state.clients].map(([address, all]) => [
    address,
    ...all.map(({ instanceId, tenantId, arrivesAt }) => [instanceId, tenantId, ...arrivesAt]),
  ]);
  return canonicalJson([state.endpoint, clients]);
}
