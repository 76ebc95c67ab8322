import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffDelay, defaultBackoff } from './backoff.ts';

test('waits twice as long after each failure, up to the largest wait', () => {
  const delays = [1, 2, 3, 4, 7, 8, 1000].map((failures) => backoffDelay(defaultBackoff, 'retry', failures, () => 1));
  expect(delays).toEqual([100, 200, 400, 800, 6400, 10_000, 10_000]);
});

test('half of the wait is chance', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, chance) => {
        const delay = backoffDelay(defaultBackoff, 'retry', failures, () => chance) ?? 0;
        const full = backoffDelay(defaultBackoff, 'retry', failures, () => 1) ?? 0;
        expect(delay).toBeGreaterThanOrEqual(full / 2);
        expect(delay).toBeLessThanOrEqual(full);
      },
    ),
  );
});

test('what a person must mend waits long, what nobody can mend waits for the next event', () => {
  expect(backoffDelay(defaultBackoff, 'operator', 1, () => 1)).toBe(60_000);
  expect(backoffDelay(defaultBackoff, 'terminal', 1, () => 1)).toBeUndefined();
});
