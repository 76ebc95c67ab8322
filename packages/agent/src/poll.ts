import { setTimeout as delay } from 'node:timers/promises';

/** Asks again after 1, 2, 4 … 50 ms until `done` holds. False when `timeout` (ms) has passed first. */
export async function until(done: () => boolean | Promise<boolean>, timeout: number): Promise<boolean> {
  const deadline = performance.now() + timeout;
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    if (await done()) return true;
    if (performance.now() > deadline) return false;
    await delay(pause);
  }
}
