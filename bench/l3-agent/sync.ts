import { execute } from '../../e2e/lib/exec.ts';
import { waitFor } from '../../e2e/lib/wait.ts';
import { say } from '../lib/report.ts';
import type { BenchRouter } from './routers.ts';
import type { Side } from './side.ts';

/** Seconds from the start of the process: until the first, the median and the last router was in sync. */
export interface SyncTimes {
  readonly first: number;
  readonly median: number;
  readonly all: number;
}

/** Longer than the peer was ever seen to take (771 s with 60 routers from nothing). */
const PATIENCE = 1_800_000;

export async function measureRestart(side: Side, routers: readonly BenchRouter[]): Promise<SyncTimes> {
  await side.stop();
  return timed(side, routers, 'restart');
}

export async function measureFromNothing(side: Side, routers: readonly BenchRouter[]): Promise<SyncTimes> {
  await side.stop();
  await side.wipe();
  return timed(side, routers, 'from nothing');
}

async function timed(side: Side, routers: readonly BenchRouter[], what: string): Promise<SyncTimes> {
  const ids = routers.map(({ router }) => router.id);
  const seen: number[] = [];
  const began = performance.now();
  const starting = side.start();
  const all = async () => {
    const { size } = await side.synced(ids);
    const seconds = (performance.now() - began) / 1000;
    while (seen.length < size) seen.push(seconds);
    return size === ids.length;
  };
  await waitFor(`${side.name}: ${what} of ${ids.length} routers`, all, { timeout: PATIENCE, interval: 50 });
  await starting;
  await verify(side, routers);
  const times = { first: seen[0] ?? 0, median: seen[seen.length >> 1] ?? 0, all: seen.at(-1) ?? 0 };
  say(`${side.name}: ${what}, ${ids.length} routers: all in sync after ${times.all.toFixed(1)} s`);
  return times;
}

/** That it says so is not enough: each router's kernel holds both floating IPs and the translation of everything else. */
async function verify(side: Side, routers: readonly BenchRouter[]): Promise<void> {
  for (const { router, network } of routers) {
    const { stdout } = await execute(['ip', 'netns', 'exec', side.netns(router.id), 'nft', 'list', 'ruleset']);
    const external = new Set(stdout.match(/203\.0\.113\.\d+/g));
    if (external.size < 3)
      throw new Error(`${side.name}: router of ${network.name} holds ${[...external].join(' ') || 'nothing'}`);
  }
}
