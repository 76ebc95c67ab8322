import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import { Phase } from './phase.ts';
import { type Fact, facts, type Situation } from './situation.ts';
import { lastSteps, table } from './table.ts';
import { follow } from './world.ts';

/** Every situation there is: the product of all facts. */
function* situations(): Generator<Situation> {
  const names = Object.keys(facts) as Fact[];
  const counts = names.map((name) => facts[name].length);
  const all = counts.reduce((product, count) => product * count, 1);
  for (let number = 0; number < all; number++) {
    let rest = number;
    yield Object.fromEntries(
      names.map((name, index) => {
        const count = counts[index] ?? 1;
        const value = facts[name][rest % count];
        rest = Math.floor(rest / count);
        return [name, value];
      }),
    ) as Situation;
  }
}

const longest = 6;

test('in all situations: settles in a few steps, and each step is one that may be done', () => {
  const used = new Set<string>();
  let count = 0;
  let most = 0;
  for (const situation of situations()) {
    count++;
    const moves = follow(Phase.DOWN, situation, longest + 1);
    most = Math.max(most, moves.length);
    const last = moves.at(-1);
    if (last === undefined || !lastSteps.includes(last.step)) throw new Error(JSON.stringify(situation));
    for (const { rule, step, before } of moves) {
      used.add(rule);
      const where = `${rule}: ${step} in ${JSON.stringify(before)}`;
      if (before.wanted === 'unknown' || before.instance === 'unknown') expect(step, where).toBe('wait');
      if (step === 'configure' || step === 'replug') {
        expect(before, where).toMatchObject({ wanted: 'present', instance: 'running' });
      }
      if (step === 'configure') expect(before.ports, where).toBe('same');
      if (step === 'create') expect(before, where).toMatchObject({ wanted: 'present', instance: 'none' });
      if (step === 'destroy') {
        const reason = before.wanted === 'absent' || before.instance === 'dead' || before.rebuild === 'asked';
        expect(reason && before.instance !== 'none', where).toBe(true);
        if (before.wanted === 'present' && before.rebuild === 'no') expect(before.breaker, where).toBe('closed');
      }
      if (step === 'settle') expect(before, where).toMatchObject({ wanted: 'present', config: 'same', ports: 'same' });
      if (step === 'forget') expect(before, where).toMatchObject({ wanted: 'absent', instance: 'none' });
    }
  }
  expect(count).toBe(Object.values(facts).reduce((product, values) => product * values.length, 1));
  expect([...used].sort()).toEqual(table.map(({ rule }) => rule).sort());
  expect(most).toBe(longest);
});

test('what is wanted and may be made ends settled; what is not wanted ends forgotten; whatever the phase before', () => {
  const phases = Object.values(Phase);
  const situation = fc.record(
    Object.fromEntries(Object.entries(facts).map(([name, values]) => [name, fc.constantFrom(...values)])),
  ) as unknown as fc.Arbitrary<Situation>;
  fc.assert(
    fc.property(fc.constantFrom(...phases), situation, (phase, from) => {
      const last = follow(phase, from, longest).at(-1);
      if (from.wanted === 'unknown' || from.instance === 'unknown') {
        expect(last).toMatchObject({ step: 'wait', to: phase });
      } else if (from.wanted === 'absent') {
        expect(last).toMatchObject({ step: 'forget', to: Phase.GONE });
      } else if (last?.step === 'wait' || last?.step === 'wait for cool-down') {
        const held = from.boots === 'exhausted' || from.breaker === 'open';
        expect(held && from.instance !== 'running').toBe(true);
      } else {
        expect(last?.step).toBe('settle');
        expect([Phase.CONFIGURED, Phase.DEGRADED]).toContain(last?.to);
      }
    }),
    { numRuns: 5000 },
  );
});

test('a floating IP on a configured router is one step', () => {
  const changed: Situation = {
    wanted: 'present',
    instance: 'running',
    surplus: 'none',
    ports: 'same',
    config: 'differs',
    services: 'running',
    boots: 'left',
    cooldown: 'over',
    cause: 'update',
    rebuild: 'no',
    breaker: 'closed',
  };
  expect(decide(Phase.CONFIGURED, changed)).toEqual({
    rule: 'configuration differs',
    step: 'configure',
    phase: 'CONFIGURED',
  });
  expect(follow(Phase.CONFIGURED, changed, longest).map(({ step }) => step)).toEqual(['configure', 'settle']);
});
