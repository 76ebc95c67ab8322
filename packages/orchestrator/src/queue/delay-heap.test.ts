import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DelayHeap } from './delay-heap.ts';

test('gives back what is due, the earliest first, each value once', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), value: fc.nat(8), due: fc.nat(20) }),
    fc.record({ do: fc.constant('delete' as const), value: fc.nat(8) }),
    fc.record({ do: fc.constant('take' as const), now: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = new DelayHeap<number>();
      let model: { value: number; due: number }[] = [];
      for (const one of steps) {
        if (one.do === 'add') {
          heap.add(one.value, one.due);
          model = [...model.filter(({ value }) => value !== one.value), { value: one.value, due: one.due }];
        } else if (one.do === 'delete') {
          expect(heap.delete(one.value)).toBe(model.some(({ value }) => value === one.value));
          model = model.filter(({ value }) => value !== one.value);
        } else {
          const earliest = model.toSorted((a, b) => a.due - b.due)[0];
          const expected = earliest !== undefined && earliest.due <= one.now ? earliest : undefined;
          expect(heap.take(one.now)).toBe(expected?.value);
          model = model.filter((place) => place !== expected);
        }
        expect(heap.size).toBe(model.length);
        expect(heap.next).toBe(model.length === 0 ? undefined : Math.min(...model.map(({ due }) => due)));
      }
    }),
    { numRuns: 5000 },
  );
});
