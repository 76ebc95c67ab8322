import { expect, test } from 'vitest';
import { ApplyBudget } from './apply-budget.ts';

test('one change after the other by hand never waits', () => {
  const budget = new ApplyBudget(0);
  for (let now = 0; now < 60_000; now += 400) expect(budget.take(now)).toBe(0);
});

test('a burst gets three applies at once and then five in two seconds', () => {
  const budget = new ApplyBudget(0);
  expect([0, 0, 0, 0].map((now) => budget.take(now))).toEqual([0, 0, 0, 400]);
  expect(budget.take(300)).toBe(100);
  let applies = 0;
  for (let now = 400; now <= 20_000; now += 10) if (budget.take(now) === 0) applies++;
  expect(applies).toBe(50);
});

test('a clock that is set back does not make it wait longer', () => {
  const budget = new ApplyBudget(1e9);
  for (let take = 0; take < 3; take++) budget.take(1e9);
  expect(budget.take(0)).toBe(400);
  expect(budget.take(400)).toBe(0);
});
