/** Waiting for the kernel, which does not call back. */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** An answer from the same segment takes less than this; until then we ask without pausing. ms */
const EAGER = 0.3;
/** The longest pause between two looks. ms */
const PAUSE = 8;

/** Looks until there is an answer; undefined when the signal aborts before. */
export async function poll<T>(look: () => T | undefined | Promise<T | undefined>, signal: AbortSignal) {
  const start = performance.now();
  let pause = 0.5;
  for (;;) {
    const answer = await look();
    if (answer !== undefined || signal.aborted) return answer;
    if (performance.now() - start < EAGER) await setImmediate();
    else {
      pause = Math.min(pause * 2, PAUSE);
      // An abort only ends the pause: one last look follows.
      await setTimeout(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Milliseconds since `start`, in microseconds' precision. */
export function since(start: number): number {
  return Math.round((performance.now() - start) * 1000) / 1000;
}
