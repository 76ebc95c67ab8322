import { errors } from '../errors.ts';
import type { Runner } from '../services/service.ts';
import type { Step } from './plan.ts';

/** Those that do the steps, by the name of their service. */
export type Runners = ReadonlyMap<string, Runner<unknown, unknown>>;

export interface DoneStep {
  readonly service: string;
  readonly what: string;
  readonly ms: number;
}

/**
 * Does the steps and then `commit`. When one fails, it and those before it are undone in reverse and the call rejects with
 * APPLIANCE_APPLY_FAILED, or with APPLIANCE_REVERT_FAILED when the world is neither as before nor as wanted.
 */
export async function transact(steps: readonly Step[], runners: Runners, commit: () => void): Promise<DoneStep[]> {
  const done: DoneStep[] = [];
  const begun: Step[] = [];
  let current = { service: 'appliance', what: 'commit' };
  try {
    for (const step of steps) {
      current = step;
      begun.push(step);
      const start = performance.now();
      await runners.get(step.service)?.execute(step.change);
      done.push({ service: step.service, what: step.what, ms: elapsed(start) });
    }
    current = { service: 'appliance', what: 'commit' };
    commit();
    return done;
  } catch (failure) {
    const params = { step: current.what, service: current.service, cause: message(failure) };
    try {
      if (current === begun.at(-1) && begun.at(-1)?.atomic === true) begun.pop();
      for (const { service, undo } of begun.reverse()) {
        if (undo !== undefined) await runners.get(service)?.execute(undo);
      }
    } catch (cause) {
      throw errors.make('APPLIANCE_REVERT_FAILED', { ...params, revert: message(cause) }, { cause: failure });
    }
    throw errors.make('APPLIANCE_APPLY_FAILED', params, { cause: failure });
  }
}

/** Milliseconds since `start`, to the microsecond. */
export function elapsed(start: number): number {
  return Math.round((performance.now() - start) * 1000) / 1000;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
