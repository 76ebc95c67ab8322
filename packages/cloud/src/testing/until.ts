import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until `condition` answers something that is true, and returns that; what it throws counts as no. */
export async function until<T>(
  condition: () => T | Promise<T>,
  timeout = 5_000,
): Promise<Exclude<T, undefined | null | false | '' | 0>> {
  const deadline = performance.now() + timeout;
  for (let last: unknown; ; await sleep(10)) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, undefined | null | false | '' | 0>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeout} ms: ${condition}`, { cause: last });
  }
}
