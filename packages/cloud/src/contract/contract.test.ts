import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTarget } from './cloud-target.ts';
import { compare, type Difference } from './compare.ts';
import { contract } from './contract.ts';
import { judge } from './differences.ts';
import { recorded } from './fixtures.ts';
import { Runner } from './run.ts';

/** The cloud against what the real Neutron answered. `./run e2e contract` asks the real one again. */

let runner: Runner;
let stop: () => Promise<void>;
const found = new Map<string, readonly Difference[]>();

beforeAll(async () => {
  const cloud = await startTarget();
  stop = cloud.stop;
  runner = await Runner.start(cloud.target);
});
afterAll(async () => {
  await runner.stop();
  await stop();
});

test.for(contract)('$name', async (scenario) => {
  const differences = compare(scenario.name, recorded(scenario), await runner.perform(scenario));
  found.set(scenario.name, differences);
  expect(judge(differences).unknown).toEqual([]);
});

test('what is listed as different is different', ({ skip }) => {
  if (found.size < contract.length) skip('not all scenarios were run');
  expect(judge([...found.values()].flat()).stale).toEqual([]);
});
