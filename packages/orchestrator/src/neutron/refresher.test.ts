import { errors } from '@astara/messaging/errors.ts';
import { afterEach, expect, test } from 'vitest';
import { until } from '../testing/until.ts';
import { type Question, Refresher, type RefresherOptions } from './refresher.ts';

type Ask = RefresherOptions['ask'];
const running: Refresher[] = [];

function refresher(ask: Ask, options: Partial<RefresherOptions> = {}): Refresher {
  const made = new Refresher({
    pageSize: { max: 256, min: 32 },
    concurrency: 1,
    timeout: { base: 100, perItem: 1, max: 400 },
    retry: { base: 5, cap: 20 },
    onError: () => undefined,
    ...options,
    ask,
  });
  running.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

const many = (count: number, prefix = 'r') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const timeout = () => errors.make('MESSAGING_TIMEOUT', { method: 'm', topic: 't', timeout: 1 });
const refused = () => errors.make('MESSAGING_REMOTE_ERROR', { method: 'm', topic: 't', class: 'C', message: '' });

test('what is marked while one question is under way goes into one more', async () => {
  const asked: string[][] = [];
  const gate = Promise.withResolvers<void>();
  const one = refresher(async (ids) => {
    asked.push([...ids]);
    if (asked.length === 1) await gate.promise;
    return [];
  });
  one.mark(['a'], { urgent: true });
  for (const id of ['a', 'b', 'b', 'c']) one.mark([id], { urgent: true });
  gate.resolve();
  await until('idle', () => one.size === 0);
  expect(asked).toEqual([['a'], ['a', 'b', 'c']]);
});

test('what a person waits for overtakes a resync, and is asked for alone', async () => {
  const asked: string[][] = [];
  const gate = Promise.withResolvers<void>();
  const one = refresher(
    async (ids) => {
      asked.push([...ids]);
      if (asked.length === 1) await gate.promise;
      return [];
    },
    { pageSize: { max: 2, min: 1 } },
  );
  one.mark(many(4), { urgent: false });
  one.mark(['r3', 'x'], { urgent: true });
  gate.resolve();
  await until('idle', () => one.size === 0);
  expect(asked).toEqual([['r0', 'r1'], ['r3', 'x'], ['r2']]);
});

test('pages halve on timeouts down to the least, grow back, and give the server longer each time', async () => {
  const sizes: number[] = [];
  const timeouts: number[] = [];
  let failures = 5;
  const one = refresher(async (ids, question) => {
    sizes.push(ids.length);
    timeouts.push(question.timeout);
    if (failures-- > 0) throw timeout();
    return [];
  });
  one.mark(many(300), { urgent: false });
  await until('idle', () => one.size === 0);
  expect(Math.min(...sizes)).toBe(32);
  expect(sizes.slice(0, 2)).toEqual([256, 44]);
  expect(Math.max(...timeouts)).toBe(400);
  expect(one.pageSize).toBeGreaterThan(32);
});

test('one id that Neutron cannot answer for does not keep the others waiting', async () => {
  const done = new Set<string>();
  const one = refresher(async (ids) => {
    if (ids.includes('r7')) throw refused();
    for (const id of ids) done.add(id);
    return [];
  });
  one.mark(many(100), { urgent: false });
  await until('all others', () => done.size === 99);
  expect(one.isStale('r7')).toBe(true);
  expect(one.size).toBe(1);
});

test('the earliest commit is remembered through failures and repeated marks', async () => {
  const seen: (number | undefined)[] = [];
  let fail = true;
  const one = refresher(async (_ids, question: Question) => {
    seen.push(question.since('a'));
    if (fail) {
      fail = false;
      throw timeout();
    }
    return [];
  });
  one.mark(['a'], { urgent: true, since: 20 });
  one.mark(['a'], { urgent: true, since: 10 });
  await until('idle', () => one.size === 0);
  expect(seen).toEqual([20, 10]);
});

test('an outdated answer is asked for again', async () => {
  let count = 0;
  const one = refresher(async () => {
    count += 1;
    return count < 3 ? ['a'] : [];
  });
  one.mark(['a'], { urgent: true });
  await until('idle', () => one.size === 0);
  expect(count).toBe(3);
});

test('a grace gathers; a mark without one ends it; forgotten ids are not asked for', async () => {
  const asked: string[][] = [];
  const one = refresher(async (ids) => {
    asked.push([...ids]);
    return [];
  });
  one.mark(['a', 'b', 'c'], { urgent: true, grace: 60_000 });
  one.forget('b');
  one.mark(['a'], { urgent: true });
  await until('a', () => asked.length === 1);
  expect(asked).toEqual([['a']]);
  one.kick();
  await until('idle', () => one.size === 0);
  expect(asked).toEqual([['a'], ['c']]);
});
