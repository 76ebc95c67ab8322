import type { RetryClass } from '@astara/model/error.ts';
import { backoffDelay, defaultBackoff } from './backoff.ts';
import { Priority } from './priority.ts';

interface Waiting {
  readonly key: string;
  readonly priority: Priority;
  readonly due: number;
  readonly failures: number;
  /** Order of arrival: at its priority when it is ready, in the waiting room when it is not. */
  readonly order: number;
  readonly ready: boolean;
}

/** What the queue must do, written as slowly and plainly as possible: lists, sorting, no timers. For its tests. */
export class QueueModel {
  readonly started: string[] = [];
  #now = 0;
  #order = 0;
  #waiting: Waiting[] = [];
  readonly #running = new Map<string, { priority: Priority; failures: number; again?: [Priority, number] }>();
  #workers: number;
  #reserved: number;

  constructor(workers: number, reserved: number) {
    this.#workers = workers;
    this.#reserved = reserved;
  }

  configure(workers: number, reserved: number): void {
    this.#workers = workers;
    this.#reserved = reserved;
  }

  add(key: string, priority: Priority, after: number): void {
    const due = this.#now + after;
    const running = this.#running.get(key);
    if (running !== undefined) {
      const [was, wasDue] = running.again ?? [priority, due];
      running.again = [min(was, priority), Math.min(wasDue, due)];
      return;
    }
    const waits = this.#waiting.find((one) => one.key === key);
    if (waits === undefined) {
      this.#wait(key, priority, due, 0);
    } else {
      const user = priority === Priority.user;
      const held = waits.failures > 0 && !user;
      this.#wait(
        key,
        min(waits.priority, priority),
        held ? waits.due : Math.min(waits.due, due),
        user ? 0 : waits.failures,
      );
    }
  }

  finish(key: string, result: 'done' | { readonly requeueAfter: number } | RetryClass): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    const [priority, due] = running.again ?? [running.priority, Number.POSITIVE_INFINITY];
    if (result === 'done' || result === 'terminal') {
      if (running.again !== undefined) this.#wait(key, priority, due, 0);
    } else if (typeof result !== 'string') {
      this.#wait(key, min(running.priority, priority), Math.min(this.#now + result.requeueAfter, due), 0);
    } else if (running.again?.[0] === Priority.user) {
      this.#wait(key, priority, due, 0);
    } else {
      const failures = running.failures + 1;
      const delay = backoffDelay(defaultBackoff, result, failures, () => 1) ?? 0;
      this.#wait(key, min(running.priority, priority), this.#now + delay, failures);
    }
  }

  wake(): void {
    for (const one of this.#waiting.filter(({ failures, ready }) => failures > 0 && !ready)) {
      this.#wait(one.key, one.priority, this.#now, one.failures);
    }
  }

  advance(ms: number): void {
    this.#now += ms;
    const ripe = this.#waiting.filter(({ ready, due }) => !ready && due <= this.#now);
    for (const one of ripe.toSorted((a, b) => a.due - b.due || a.order - b.order)) {
      this.#wait(one.key, one.priority, one.due, one.failures);
    }
  }

  /** Gives work to every free worker. */
  start(): void {
    for (;;) {
      const [first] = this.#waiting
        .filter(({ ready }) => ready)
        .toSorted((a, b) => a.priority - b.priority || a.order - b.order);
      if (first === undefined || this.#running.size >= this.#workers) return;
      const background = [...this.#running.values()].filter(({ priority }) => priority > Priority.related).length;
      if (first.priority > Priority.related && background >= this.#workers - this.#reserved) return;
      this.#waiting = this.#waiting.filter((one) => one !== first);
      this.#running.set(first.key, { priority: first.priority, failures: first.failures });
      this.started.push(first.key);
    }
  }

  #wait(key: string, priority: Priority, due: number, failures: number): void {
    const ready = due <= this.#now;
    const was = this.#waiting.find((one) => one.key === key);
    this.#waiting = this.#waiting.filter((one) => one !== was);
    const keepsPlace = was?.ready === true && ready && was.priority === priority;
    this.#waiting.push({ key, priority, due, failures, ready, order: keepsPlace ? was.order : this.#order++ });
  }
}

function min(a: Priority, b: Priority): Priority {
  return a < b ? a : b;
}
