import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** Milliseconds until it gives up. Default 30 000. */
  readonly timeout?: number;
  /** Milliseconds between two looks. Default 100. */
  readonly interval?: number;
}

/**
 * Looks again and again until `probe` answers something other than `undefined` or `false`, and returns that.
 * Rejects with `what`, the time it waited and what the last look said. A probe that throws just has to be asked again.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { timeout = 30_000, interval = 100 }: Patience = {},
): Promise<T> {
  const began = performance.now();
  for (;;) {
    let last = 'it was not so';
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    const waited = performance.now() - began;
    if (waited > timeout) throw new Error(`waited ${(waited / 1000).toFixed(1)} s for ${what}; last: ${last}`);
    await sleep(interval);
  }
}
