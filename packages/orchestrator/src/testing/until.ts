import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the condition holds; fails with `what` after the deadline (milliseconds). */
export async function until(what: string, condition: () => boolean, deadline = 5_000): Promise<void> {
  const end = performance.now() + deadline;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${what}`);
    await sleep(5);
  }
}
