import type { RetryClass } from '@astara/model/error.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errors } from '../errors.ts';
import { defaultBackoff } from './backoff.ts';
import { ManualClock } from './clock.ts';
import { Priority } from './priority.ts';
import { QueueModel } from './queue-model.ts';
import { type Outcome, type Run, WorkQueue } from './work-queue.ts';

type Result = 'done' | { readonly requeueAfter: number } | RetryClass;

const failures: Record<RetryClass, () => Error> = {
  retry: () => errors.make('PROVIDER_TIMEOUT', { operation: 'test' }),
  operator: () => errors.make('PROVIDER_BAD_ANSWER', { operation: 'test', reason: 'test' }),
  terminal: () => errors.make('RESOURCE_NOT_FOUND', { kind: 'router', id: 'test' }),
};

/** A queue whose work begins and ends when the test says so. Chance is switched off: waits have their full length. */
class Rig {
  readonly clock = new ManualClock();
  readonly started: string[] = [];
  readonly runs: Run[] = [];
  readonly under = new Map<string, { resolve: (outcome: Outcome) => void; reject: (error: Error) => void }>();
  readonly queue: WorkQueue<string>;
  /** Runs that began although as many as there are workers were under way. */
  excess = 0;
  #workers: number;

  constructor(workers: number, reserved = 0) {
    this.#workers = workers;
    this.queue = new WorkQueue<string>({
      nameOf: (key) => key,
      workers,
      reserved,
      clock: this.clock,
      random: () => 1,
      work: (key, run) => {
        if (this.under.has(key)) throw new Error(`${key} is worked on already`);
        this.started.push(key);
        this.runs.push(run);
        return new Promise((resolve, reject) => {
          this.under.set(key, { resolve, reject });
          if (this.under.size > this.#workers) this.excess++;
        });
      },
    });
  }

  configure(workers: number, reserved = 0, backoff = defaultBackoff): void {
    this.#workers = workers;
    this.queue.configure({ workers, reserved, backoff });
  }

  async finish(key: string, result: Result): Promise<void> {
    const work = this.under.get(key);
    this.under.delete(key);
    if (result === 'done') work?.resolve({});
    else if (typeof result === 'string') work?.reject(failures[result]());
    else work?.resolve(result);
    await this.settle();
  }

  /** Until every microtask has run: the queue uses nothing else. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }
}

describe('WorkQueue', () => {
  test('runs the urgent first, and within a priority in the order of arrival', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.resync });
    rig.queue.add('b', { priority: Priority.resync });
    rig.queue.add('c', { priority: Priority.health });
    rig.queue.add('d', { priority: Priority.user });
    rig.queue.add('e', { priority: Priority.user });
    await rig.settle();
    for (const key of ['d', 'e', 'c', 'a', 'b']) await rig.finish(key, 'done');
    expect(rig.started).toEqual(['d', 'e', 'c', 'a', 'b']);
  });

  test('adding what waits only raises it', async () => {
    const rig = new Rig(1);
    rig.queue.add('busy', { priority: Priority.user });
    await rig.settle();
    rig.queue.add('a', { priority: Priority.health });
    rig.queue.add('b', { priority: Priority.resync });
    rig.queue.add('b', { priority: Priority.user });
    rig.queue.add('b', { priority: Priority.resync });
    for (const key of ['busy', 'b', 'a']) await rig.finish(key, 'done');
    expect(rig.started).toEqual(['busy', 'b', 'a']);
    expect(rig.under.size).toBe(0);
  });

  test('what is added while it is worked on runs once more, not at once and not twice', async () => {
    const rig = new Rig(4);
    rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    for (let n = 0; n < 30; n++) rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    expect(rig.started).toEqual(['a']);
    await rig.finish('a', 'done');
    await rig.finish('a', 'done');
    await rig.advance(1e9);
    expect(rig.started).toEqual(['a', 'a']);
  });

  test('the earliest due time holds', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.health, after: 500 });
    rig.queue.add('a', { priority: Priority.health, after: 100 });
    rig.queue.add('a', { priority: Priority.health, after: 900 });
    await rig.advance(99);
    expect(rig.started).toEqual([]);
    await rig.advance(1);
    expect(rig.started).toEqual(['a']);
  });

  test('backs off; others wait with it, a user does not', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.resync });
    await rig.settle();
    await rig.finish('a', 'retry');
    rig.queue.add('a', { priority: Priority.health });
    rig.queue.add('a', { priority: Priority.related });
    await rig.advance(99);
    expect(rig.started).toEqual(['a']);
    await rig.advance(1);
    expect(rig.runs.map(({ attempt }) => attempt)).toEqual([0, 1]);
    await rig.finish('a', 'retry');
    expect(rig.queue.where('a')).toEqual({ state: 'delayed', priority: Priority.related, failures: 2, dueIn: 200 });
    rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    expect(rig.runs.at(-1)).toMatchObject({ priority: Priority.user, attempt: 0 });
  });

  test('a terminal failure waits for the next event', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    await rig.finish('a', 'terminal');
    await rig.advance(1e9);
    expect(rig.queue.where('a')).toBeUndefined();
    rig.queue.add('a', { priority: Priority.health });
    await rig.settle();
    expect(rig.started).toEqual(['a', 'a']);
  });

  test('what fails for want of a person waits long, and wake() ends every back-off', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    await rig.finish('a', 'operator');
    await rig.advance(59_999);
    expect(rig.started).toEqual(['a']);
    rig.queue.wake();
    await rig.settle();
    expect(rig.started).toEqual(['a', 'a']);
  });

  test('reserved workers are kept for those whom somebody waits for', async () => {
    const rig = new Rig(3, 1);
    for (const key of ['a', 'b', 'c']) rig.queue.add(key, { priority: Priority.resync });
    await rig.settle();
    expect([...rig.under.keys()]).toEqual(['a', 'b']);
    rig.queue.add('d', { priority: Priority.user });
    await rig.settle();
    expect([...rig.under.keys()]).toEqual(['a', 'b', 'd']);
    await rig.finish('d', 'done');
    expect([...rig.under.keys()]).toEqual(['a', 'b']);
    await rig.finish('a', 'done');
    expect([...rig.under.keys()]).toEqual(['b', 'c']);
  });

  test('close() waits for what is under way, and takes nothing more', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.user });
    rig.queue.add('b', { priority: Priority.user });
    await rig.settle();
    const closed = rig.queue.close(1000);
    rig.queue.add('c', { priority: Priority.user });
    await rig.finish('a', 'retry');
    expect(await closed).toBe(0);
    await rig.advance(1e9);
    expect(rig.started).toEqual(['a']);
  });

  test('close() leaves what outlives the deadline, and tells it', async () => {
    const rig = new Rig(2);
    rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    const closed = rig.queue.close(1000);
    await rig.advance(999);
    expect(rig.runs[0]?.signal.aborted).toBe(false);
    await rig.advance(1);
    expect(await closed).toBe(1);
    expect(rig.runs[0]?.signal.aborted).toBe(true);
  });

  test('more workers begin at once; fewer let what is under way end, and begin nothing meanwhile', async () => {
    const rig = new Rig(1);
    for (const name of ['a', 'b', 'c', 'd', 'e']) rig.queue.add(name, { priority: Priority.user });
    await rig.settle();
    expect(rig.started).toEqual(['a']);
    rig.configure(3);
    await rig.settle();
    expect(rig.started).toEqual(['a', 'b', 'c']);
    rig.configure(1);
    await rig.finish('a', 'done');
    await rig.finish('b', 'done');
    expect(rig.started).toEqual(['a', 'b', 'c']);
    expect(rig.runs.some(({ signal }) => signal.aborted)).toBe(false);
    await rig.finish('c', 'done');
    expect(rig.started).toEqual(['a', 'b', 'c', 'd']);
  });

  test('another back-off holds from the next failure on', async () => {
    const rig = new Rig(1);
    rig.queue.add('a', { priority: Priority.resync });
    await rig.settle();
    rig.configure(1, 0, { ...defaultBackoff, base: 3_000 });
    await rig.finish('a', 'retry');
    expect(rig.queue.where('a')?.dueIn).toBe(3_000);
    rig.configure(1);
    expect(rig.queue.where('a')?.dueIn).toBe(3_000);
  });

  test('shows how long the longest work has been under way', async () => {
    const rig = new Rig(2);
    expect(rig.queue.longestRunning()).toBe(0);
    rig.queue.add('a', { priority: Priority.user });
    await rig.settle();
    await rig.advance(2000);
    rig.queue.add('b', { priority: Priority.user });
    await rig.settle();
    await rig.advance(1000);
    expect(rig.queue.longestRunning()).toBe(3);
    await rig.finish('a', 'done');
    expect(rig.queue.longestRunning()).toBe(1);
  });
});

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const priority = fc.constantFrom(...Object.values(Priority));
const result = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Result>('done') },
  fc.constantFrom<Result>('retry', 'operator', 'terminal'),
  fc.integer({ min: 0, max: 400 }).map<Result>((requeueAfter) => ({ requeueAfter })),
);
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key, priority, after: fc.constantFrom(0, 0, 0, 50, 300) }),
  fc.record({ do: fc.constant('finish' as const), which: fc.nat(), result }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 50, 100, 250, 70_000) }),
  fc.record({ do: fc.constant('wake' as const) }),
  fc.record({ do: fc.constant('configure' as const), workers: fc.integer({ min: 1, max: 5 }), spare: fc.nat(4) }),
);

test('histories: starts what the model starts and when, however many workers there are meanwhile, never one key twice at once, loses nothing, always drains', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(3),
      fc.array(step, { maxLength: 60 }),
      async (workers, spare, steps) => {
        const reserved = Math.min(spare, workers - 1);
        const rig = new Rig(workers, reserved);
        const model = new QueueModel(workers, reserved);
        /** Key → number of starts seen when it was added last. */
        const owed = new Map<string, number>();
        for (const one of steps) {
          if (one.do === 'add') {
            rig.queue.add(one.key, { priority: one.priority, after: one.after });
            model.add(one.key, one.priority, one.after);
            owed.set(one.key, rig.started.length);
          } else if (one.do === 'finish') {
            const name = [...rig.under.keys()][one.which % Math.max(1, rig.under.size)];
            if (name === undefined) continue;
            await rig.finish(name, one.result);
            model.finish(name, one.result);
          } else if (one.do === 'wake') {
            rig.queue.wake();
            model.wake();
          } else if (one.do === 'configure') {
            const kept = Math.min(one.spare, one.workers - 1);
            rig.configure(one.workers, kept);
            model.configure(one.workers, kept);
          } else {
            // In the model's steps: what becomes due on the way starts on the way.
            for (let left = one.ms; ; ) {
              const hop = Math.min(left, Math.max(0, (rig.clock.next ?? Infinity) - rig.clock.now()));
              await rig.advance(hop);
              model.advance(hop);
              model.start();
              left -= hop;
              if (left <= 0) break;
            }
          }
          await rig.settle();
          model.start();
          expect(rig.started).toEqual(model.started);
          expect(rig.excess).toBe(0);
        }
        for (let turn = 0; turn < 200 && (rig.under.size > 0 || rig.queue.delayed > 0); turn++) {
          const name = [...rig.under.keys()][0];
          if (name !== undefined) await rig.finish(name, 'done');
          else await rig.advance(60_000);
        }
        for (const [name, seen] of owed) expect(rig.started.slice(seen)).toContain(name);
        for (const name of ['a', 'b', 'c', 'd', 'e']) expect(rig.queue.where(name)).toBeUndefined();
      },
    ),
    { numRuns: 4000 },
  );
});
