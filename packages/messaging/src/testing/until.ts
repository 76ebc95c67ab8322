import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `condition` is true; fails after `within` milliseconds, naming what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, within = 20_000): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${within} ms in vain until ${what}`);
    await sleep(5);
  }
}
