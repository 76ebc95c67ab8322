import { expect, test } from 'vitest';
import { until } from '../testing/until.ts';
import { Gate } from './gate.ts';

test('open until somebody holds it, and again when the last has released it', () => {
  const gate = new Gate(60_000);
  let opened = 0;
  gate.onOpen(() => {
    opened += 1;
  });
  expect(gate.isOpen).toBe(true);
  gate.hold('a');
  gate.hold('b');
  gate.hold('a');
  gate.release('a');
  expect([gate.isOpen, opened]).toEqual([false, 0]);
  gate.release('b');
  expect([gate.isOpen, opened]).toEqual([true, 1]);
  gate.release('b');
  expect(opened).toBe(1);
});

test('whoever does not release it keeps it closed for a while only; holding it anew closes it again', async () => {
  const gate = new Gate(10);
  let opened = 0;
  gate.onOpen(() => {
    opened += 1;
  });
  gate.hold('a');
  gate.hold('b');
  await until('open', () => gate.isOpen);
  expect(opened).toBe(1);
  gate.release('a');
  expect(opened).toBe(2);
  gate.hold('a');
  expect(gate.isOpen).toBe(false);
  await until('open', () => gate.isOpen);
});
