import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reconnectDelay } from './backoff.ts';

const retry = { interval: 1000, step: 2000, max: 5000 };

test('one broker: 1, 3, 5, 5 s at most, half of it at least', () => {
  expect([1, 2, 3, 9].map((failures) => reconnectDelay(failures, 1, retry, 0))).toEqual([500, 1500, 2500, 2500]);
  expect(reconnectDelay(3, 1, retry, 1)).toBe(5000);
});

test('the other brokers are tried at once', () => {
  expect([1, 2, 3, 4].map((failures) => reconnectDelay(failures, 3, retry, 0))).toEqual([0, 0, 500, 0]);
});

test('never above the maximum, never negative', () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 9 }), random, (failures, brokers, chance) => {
      const delay = reconnectDelay(failures, brokers, retry, chance);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(5000);
    }),
  );
});
