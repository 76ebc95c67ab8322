import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../testing/until.ts';
import { type LocalMessage, LocalQueue, type Receive } from './queue.ts';

const message = (text: string, expires = Number.POSITIVE_INFINITY): LocalMessage => ({
  text,
  expiration: undefined,
  expires,
});

test('a consumer that goes while messages are handed out leaves the rest, in order, to the next', async () => {
  const queue = new LocalQueue('q');
  const got: string[] = [];
  const first: Receive = ({ body }) => {
    got.push(`first:${body}`);
    queue.put(message('d'));
    queue.removeConsumer(first);
  };
  queue.addConsumer(first);
  for (const text of ['a', 'b', 'c']) queue.put(message(text));
  expect(got).toEqual([]);
  await until('the first has gone', () => queue.length === 3);
  queue.addConsumer(({ body }) => void got.push(`second:${body}`));
  await until('all are there', () => got.length === 4);
  expect(got).toEqual(['first:a', 'second:b', 'second:c', 'second:d']);
});

test('what has expired is dropped, and is nobody’s turn', async () => {
  const queue = new LocalQueue('q');
  const got: string[] = [];
  for (const who of ['x', 'y']) queue.addConsumer(({ body }) => void got.push(`${who}:${body}`));
  for (const [text, expires] of [['a'], ['b', 0], ['c'], ['d']] as const) queue.put(message(text, expires));
  await until('all are there', () => got.length === 3);
  expect(got).toEqual(['x:a', 'y:c', 'x:d']);
});

test('a long queue lets others have their turn', async () => {
  const queue = new LocalQueue('q');
  let handled = 0;
  queue.addConsumer(() => {
    handled += 1;
  });
  for (let n = 0; n < 1000; n++) queue.put(message(String(n)));
  await turn();
  expect(handled).toBeGreaterThan(0);
  expect(handled).toBeLessThan(1000);
  await until('all are there', () => handled === 1000);
});
