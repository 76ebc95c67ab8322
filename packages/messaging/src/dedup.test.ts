import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Dedup } from './dedup.ts';

test('a message without an id is never a double', () => {
  const dedup = new Dedup();
  expect([dedup.seen(undefined), dedup.seen(undefined)]).toEqual([false, false]);
});

test('an id is known while fewer than `capacity` others were seen since', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }).map(String), { maxLength: 80 }), (ids) => {
      const dedup = new Dedup(4);
      ids.forEach((id, index) => {
        const before = ids.lastIndexOf(id, index - 1);
        const known = index > 0 && before >= 0 && new Set(ids.slice(before + 1, index)).size < 4;
        expect(dedup.seen(id)).toBe(known);
      });
    }),
  );
});
