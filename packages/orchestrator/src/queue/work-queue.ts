import type { RetryClass } from '@astara/model/error.ts';
import { retryClassOf } from '../errors.ts';
import { type Backoff, backoffDelay, defaultBackoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { DelayHeap } from './delay-heap.ts';
import { Priority, priorityNames } from './priority.ts';

/** What may change while it works. */
export interface QueueSettings {
  /** How many keys are worked on at once. */
  readonly workers: number;
  /** How many of the workers take `user` and `related` work only, so that a resync makes no person wait. */
  readonly reserved: number;
  readonly backoff: Backoff;
}

/** `reserved` is 0 unless said. */
export interface WorkQueueOptions<Key> extends Partial<QueueSettings> {
  /** Equal names are the same key. */
  readonly nameOf: (key: Key) => string;
  /** Never called twice at once for the same key. A rejection is a failure; its retry class says what follows. */
  readonly work: (key: Key, run: Run) => Promise<Outcome>;
  readonly workers: number;
  readonly clock?: Clock;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly meter?: QueueMeter;
}

export interface Run {
  readonly priority: Priority;
  /** Failures in a row before this run. Above 0 it is a retry, and nobody asked anew. */
  readonly attempt: number;
  /** Aborts when the queue closes and its deadline has passed. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** Run again, this many milliseconds from now, with the same priority. */
  readonly requeueAfter?: number;
}

export interface AddOptions {
  readonly priority: Priority;
  /** Milliseconds; default 0. */
  readonly after?: number;
}

/** Durations in seconds. */
export interface QueueMeter {
  added(priority: Priority): void;
  retried(retry: RetryClass): void;
  /** From the moment the key was due until a worker took it. */
  waited(priority: Priority, seconds: number): void;
  worked(priority: Priority, seconds: number): void;
}

/** Where a key is, for people. */
export interface QueuePlace {
  readonly state: 'ready' | 'delayed' | 'running';
  readonly priority: Priority;
  readonly failures: number;
  /** Milliseconds until it is due; 0 unless delayed. */
  readonly dueIn: number;
}

interface Entry<Key> {
  readonly key: Key;
  readonly name: string;
  state: 'ready' | 'delayed' | 'running';
  priority: Priority;
  /** When it is (or was) due. */
  due: number;
  failures: number;
  startedAt: number;
  /** Added while it was worked on: it runs once more. */
  again: { priority: Priority; due: number } | undefined;
}

/**
 * One entry per key.
 *
 * - Adding a key that waits raises its priority and keeps the earliest due time; adding one that is worked on makes it run once more.
 * - Within a priority: first come, first served. Raising a key puts it behind those of its new priority.
 * - A failure backs off per key. Other priorities than `user` wait with it; `user` makes it due at once and forgets the failures.
 */
export class WorkQueue<Key> {
  readonly #options: WorkQueueOptions<Key>;
  #settings: QueueSettings;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #entries = new Map<string, Entry<Key>>();
  /** By priority; a Set keeps the order of arrival. */
  readonly #ready: readonly Set<Entry<Key>>[] = priorityNames.map(() => new Set());
  readonly #delayed = new DelayHeap<Entry<Key>>();
  readonly #running = new Set<Entry<Key>>();
  /** Of the running ones, those that may not use the reserved workers. */
  #background = 0;
  readonly #abort = new AbortController();
  #timer: { readonly due: number; readonly cancel: () => void } | undefined;
  #pumping = false;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: WorkQueueOptions<Key>) {
    this.#options = options;
    const { workers, reserved = 0, backoff = defaultBackoff } = options;
    this.#settings = { workers, reserved, backoff };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /**
   * From now on. With fewer workers than runs under way none is cut short: nothing begins until enough of them have ended.
   * What backs off already keeps its due time.
   */
  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.#pumpSoon();
  }

  /** A closed queue takes nothing. */
  add(key: Key, options: AddOptions): void {
    if (this.#closed) return;
    const { priority } = options;
    this.#options.meter?.added(priority);
    const due = this.#clock.now() + (options.after ?? 0);
    const name = this.#options.nameOf(key);
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      const fresh: Entry<Key> = {
        key,
        name,
        state: 'delayed',
        priority,
        due,
        failures: 0,
        startedAt: 0,
        again: undefined,
      };
      this.#entries.set(name, fresh);
      this.#place(fresh, priority, due);
      return;
    }
    if (entry.state === 'running') {
      entry.again = {
        priority: urgent(entry.again?.priority ?? priority, priority),
        due: Math.min(entry.again?.due ?? due, due),
      };
      return;
    }
    const backingOff = entry.failures > 0 && priority !== Priority.user;
    if (priority === Priority.user) entry.failures = 0;
    this.#place(entry, urgent(entry.priority, priority), backingOff ? entry.due : Math.min(entry.due, due));
  }

  /** What made work fail has recovered: every key that backs off is due now. Failures are not forgotten. */
  wake(): void {
    const now = this.#clock.now();
    for (const entry of [...this.#delayed.values()]) {
      if (entry.failures > 0) this.#place(entry, entry.priority, now);
    }
  }

  where(key: Key): QueuePlace | undefined {
    const entry = this.#entries.get(this.#options.nameOf(key));
    if (entry === undefined) return undefined;
    const { state, priority, failures, due } = entry;
    return { state, priority, failures, dueIn: state === 'delayed' ? Math.max(0, due - this.#clock.now()) : 0 };
  }

  /** Keys that are due and wait for a worker. */
  depth(priority: Priority): number {
    return this.#ready[priority]?.size ?? 0;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Seconds since the work began that has been under way the longest; 0 when there is none. */
  longestRunning(): number {
    let first: number | undefined;
    for (const { startedAt } of this.#running) if (first === undefined || startedAt < first) first = startedAt;
    return first === undefined ? 0 : (this.#clock.now() - first) / 1000;
  }

  /**
   * Takes nothing more, drops what waits (it is found again at the next start), and waits for what is under way: at most
   * `deadline` ms, then its signal aborts. Resolves with the number of runs that had to be left.
   */
  async close(deadline: number): Promise<number> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#delayed.clear();
    for (const ready of this.#ready) ready.clear();
    for (const entry of [...this.#entries.values()]) {
      entry.again = undefined;
      if (entry.state !== 'running') this.#entries.delete(entry.name);
    }
    if (this.#running.size === 0) return 0;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(deadline, () => {
        const left = this.#running.size;
        this.#abort.abort(new DOMException('the queue was closed', 'AbortError'));
        resolve(left);
      });
      this.#onIdle = () => {
        cancel();
        resolve(0);
      };
    });
  }

  #place(entry: Entry<Key>, priority: Priority, due: number): void {
    const ready = due <= this.#clock.now();
    if (ready && entry.state === 'ready' && entry.priority === priority) return;
    this.#ready[entry.priority]?.delete(entry);
    this.#delayed.delete(entry);
    entry.priority = priority;
    entry.due = due;
    if (ready) {
      entry.state = 'ready';
      this.#ready[priority]?.add(entry);
      this.#pumpSoon();
    } else {
      entry.state = 'delayed';
      this.#delayed.add(entry, due);
      this.#setTimer();
    }
  }

  #setTimer(): void {
    const due = this.#delayed.next;
    if (due === undefined || (this.#timer !== undefined && this.#timer.due <= due)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(Math.max(0, due - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#ripen();
      this.#setTimer();
    });
    this.#timer = { due, cancel };
  }

  /** Those that became due are ready. */
  #ripen(): void {
    const now = this.#clock.now();
    for (;;) {
      const entry = this.#delayed.take(now);
      if (entry === undefined) return;
      this.#place(entry, entry.priority, entry.due);
    }
  }

  /** In a microtask: what is added in one go is sorted before the first of it starts. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const { workers, reserved } = this.#settings;
    while (this.#running.size < workers) {
      const priority = Object.values(Priority).find((candidate) => this.depth(candidate) > 0);
      if (priority === undefined) return;
      if (isBackground(priority) && this.#background >= workers - reserved) return;
      const entry = this.#ready[priority]?.values().next().value;
      if (entry === undefined) return;
      this.#ready[priority]?.delete(entry);
      void this.#run(entry);
    }
  }

  async #run(entry: Entry<Key>): Promise<void> {
    const { meter, work } = this.#options;
    const { priority } = entry;
    entry.state = 'running';
    entry.startedAt = this.#clock.now();
    this.#running.add(entry);
    if (isBackground(priority)) this.#background++;
    meter?.waited(priority, (entry.startedAt - entry.due) / 1000);
    let next: { readonly priority: Priority; readonly due: number } | undefined;
    try {
      const outcome = await work(entry.key, { priority, attempt: entry.failures, signal: this.#abort.signal });
      next = this.#afterSuccess(entry, outcome);
    } catch (error) {
      next = this.#afterFailure(entry, retryClassOf(error));
    }
    this.#running.delete(entry);
    if (isBackground(priority)) this.#background--;
    meter?.worked(priority, (this.#clock.now() - entry.startedAt) / 1000);
    entry.again = undefined;
    if (this.#closed) {
      this.#entries.delete(entry.name);
      if (this.#running.size === 0) this.#onIdle?.();
      return;
    }
    if (next === undefined) this.#entries.delete(entry.name);
    else this.#place(entry, next.priority, next.due);
    this.#pumpSoon();
  }

  #afterSuccess(entry: Entry<Key>, outcome: Outcome): { priority: Priority; due: number } | undefined {
    entry.failures = 0;
    const { again } = entry;
    if (outcome.requeueAfter === undefined) return again;
    const due = this.#clock.now() + outcome.requeueAfter;
    if (again === undefined) return { priority: entry.priority, due };
    return { priority: urgent(entry.priority, again.priority), due: Math.min(due, again.due) };
  }

  #afterFailure(entry: Entry<Key>, retry: RetryClass): { priority: Priority; due: number } | undefined {
    const { again } = entry;
    entry.failures++;
    const delay = backoffDelay(this.#settings.backoff, retry, entry.failures, this.#random);
    if (delay !== undefined) this.#options.meter?.retried(retry);
    if (delay === undefined || again?.priority === Priority.user) {
      entry.failures = 0;
      return again;
    }
    return {
      priority: urgent(entry.priority, again?.priority ?? entry.priority),
      due: this.#clock.now() + delay,
    };
  }
}

function urgent(a: Priority, b: Priority): Priority {
  return a < b ? a : b;
}

function isBackground(priority: Priority): boolean {
  return priority > Priority.related;
}
