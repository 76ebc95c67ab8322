import type { ErrorBody } from '@astara/model/error.ts';
import { AstaraError } from '@astara/model/error.ts';
import type { ResourceKey, ResourceKind } from '@astara/model/instance.ts';
import { Phase } from '../lifecycle/phase.ts';
import { ApplyBudget } from './apply-budget.ts';
import { nameOf } from './observed.ts';

/** What is remembered of a resource: for people, and to count failures. A restart may forget all of it. Times: ms since the epoch. */
export interface Record {
  readonly key: ResourceKey;
  phase: Phase;
  /** Since when it is in this phase. */
  phaseSince: number;
  /** The row of the lifecycle table that decided last. */
  rule: string;
  /** Instances made since one was settled last. */
  boots: number;
  lastBootAt: number | undefined;
  rebuildAsked: boolean;
  /** Of the configurations pushed. */
  generation: number;
  appliedAt: number | undefined;
  /** Of the last change, from its commit in Neutron until it was in force. */
  convergenceSeconds: number | undefined;
  lastError: LastError | undefined;
  readonly budget: ApplyBudget;
}

export type LastError = ErrorBody['error'] & { readonly at: number; readonly step: string };

/** The resources that have been looked at and are not gone. */
export class Records {
  readonly #records = new Map<string, Record>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: ResourceKey): Record | undefined {
    return this.#records.get(nameOf(key));
  }

  open(key: ResourceKey): Record {
    const known = this.get(key);
    if (known !== undefined) return known;
    const now = this.#now();
    const record: Record = {
      key: { kind: key.kind, id: key.id },
      phase: Phase.DOWN,
      phaseSince: now,
      rule: '',
      boots: 0,
      lastBootAt: undefined,
      rebuildAsked: false,
      generation: 0,
      appliedAt: undefined,
      convergenceSeconds: undefined,
      lastError: undefined,
      budget: new ApplyBudget(now),
    };
    this.#records.set(nameOf(key), record);
    return record;
  }

  delete(key: ResourceKey): void {
    this.#records.delete(nameOf(key));
  }

  all(): Iterable<Record> {
    return this.#records.values();
  }

  enter(record: Record, phase: Phase, rule: string): void {
    record.rule = rule;
    if (record.phase === phase) return;
    record.phase = phase;
    record.phaseSince = this.#now();
  }

  failed(record: Record, step: string, error: unknown): void {
    const body: ErrorBody['error'] =
      error instanceof AstaraError
        ? error.toBody().error
        : { code: 'INTERNAL', message: String(error), remedy: 'A defect: report it.', retry: 'retry' };
    record.lastError = { ...body, step, at: this.#now() };
  }

  /** How many of each kind are in each phase. */
  count(): Map<ResourceKind, Map<Phase, number>> {
    const counts = new Map<ResourceKind, Map<Phase, number>>();
    for (const { key, phase } of this.#records.values()) {
      const ofKind = counts.get(key.kind) ?? new Map<Phase, number>();
      counts.set(key.kind, ofKind.set(phase, (ofKind.get(phase) ?? 0) + 1));
    }
    return counts;
  }
}
