import type { InstanceView, ResourceKind } from '@astara/model/instance.ts';
import type { Phase } from '../lifecycle/phase.ts';
import { priorityNames } from '../queue/priority.ts';
import type { QueuePlace } from '../queue/work-queue.ts';
import type { Record } from './record.ts';

/** A resource as the API shows it. Times: RFC 3339, UTC; durations: seconds. */
export interface ResourceState {
  readonly kind: ResourceKind;
  readonly id: string;
  readonly phase: Phase;
  readonly phase_since: string;
  /** The row of the lifecycle table that decided last. */
  readonly rule: string;
  /** Instances made since one was settled last. */
  readonly boots: number;
  readonly instances: readonly {
    readonly id: string;
    readonly state: InstanceView['state'];
    readonly created_at: string;
    readonly applied: InstanceView['applied'];
    readonly services: InstanceView['services'];
  }[];
  readonly applied_at: string | null;
  /** Of the last change: from its commit in Neutron until it was in force. */
  readonly convergence: number | null;
  readonly last_error: {
    readonly code: string;
    readonly message: string;
    readonly remedy: string;
    readonly retry: string;
    readonly step: string;
    readonly at: string;
  } | null;
  /** Null when it does not wait for anything. */
  readonly queue: {
    readonly state: QueuePlace['state'];
    readonly priority: string;
    readonly failures: number;
    readonly due_in: number;
  } | null;
}

export function resourceState(
  record: Record,
  views: readonly InstanceView[],
  place: QueuePlace | undefined,
): ResourceState {
  const { key, phase, phaseSince, rule, boots, appliedAt, convergenceSeconds, lastError } = record;
  return {
    kind: key.kind,
    id: key.id,
    phase,
    phase_since: timestamp(phaseSince),
    rule,
    boots,
    instances: views.map(({ id, state, created_at, applied, services }) => ({
      id,
      state,
      created_at,
      applied,
      services,
    })),
    applied_at: appliedAt === undefined ? null : timestamp(appliedAt),
    convergence: convergenceSeconds ?? null,
    last_error:
      lastError === undefined
        ? null
        : {
            code: lastError.code,
            message: lastError.message,
            remedy: lastError.remedy,
            retry: lastError.retry,
            step: lastError.step,
            at: timestamp(lastError.at),
          },
    queue:
      place === undefined
        ? null
        : {
            state: place.state,
            priority: priorityNames[place.priority],
            failures: place.failures,
            due_in: place.dueIn / 1000,
          },
  };
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
