import { type PlannedStep, phases, unknown } from '../services/service.ts';
import type { AnyService, Found, State } from './state.ts';

/** One thing to do, and how to undo it. Data only: {@link ./transaction.ts} does it. */
export interface Step extends PlannedStep<unknown> {
  readonly service: string;
}

/**
 * What leads from one state to the other, in the order in which it must happen: by phase, and within a phase in the order of the
 * services. Pure; empty when the states are equal.
 */
export function plan(services: readonly AnyService[], before: Found, after: State): Step[] {
  const steps = services.flatMap(({ name, plan }) =>
    plan(before.get(name) ?? unknown, after.parts.get(name)?.value).map((step) => ({ ...step, service: name })),
  );
  return phases.flatMap((phase) => steps.filter((step) => step.phase === phase));
}
