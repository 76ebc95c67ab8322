import { expect, test } from 'vitest';
import { ApplyBudget } from './apply-budget.ts';

test('one change after the other through the API never waits', () => {
  const budget = new ApplyBudget(0);
  for (let now = 0; now < 60_000; now += 200) expect(budget.take(now)).toBe(0);
});

test('a burst gets four applies at once and then five a second', () => {
  const budget = new ApplyBudget(0);
  expect([0, 0, 0, 0, 0].map((now) => budget.take(now))).toEqual([0, 0, 0, 0, 200]);
  expect(budget.take(150)).toBe(50);
  let applies = 0;
  for (let now = 200; now <= 10_000; now += 10) if (budget.take(now) === 0) applies++;
  expect(applies).toBe(50);
});

test('a clock that is set back does not make it wait longer', () => {
  const budget = new ApplyBudget(1e9);
  for (let take = 0; take < 4; take++) budget.take(1e9);
  expect(budget.take(0)).toBe(200);
  expect(budget.take(200)).toBe(0);
});
