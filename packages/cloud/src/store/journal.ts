import type { Row } from './table.ts';

/** A row as it was before a transaction and is after it. */
export interface Change<R extends Row = Row> {
  readonly table: string;
  readonly before: R | undefined;
  readonly after: R | undefined;
}

/** The API request that a transaction carries out; what follows from it (casts, notifications) is sent on its behalf. */
export interface Origin {
  readonly userId: string;
  readonly userName?: string;
  readonly projectId: string;
  readonly roles?: readonly string[];
  readonly isAdmin: boolean;
  /** `req-…` */
  readonly requestId: string;
  /** When the request arrived: milliseconds since the epoch. */
  readonly timestamp: number;
}

/** `origin` is undefined when nobody's request led to it. */
export type CommitListener = (changes: readonly Change[], origin: Origin | undefined) => void;

interface Undo {
  readonly table: string;
  readonly id: string;
  readonly before: Row | undefined;
  restore(row: Row | undefined): void;
}

/**
 * Makes one synchronous function one transaction: what it changed is undone when it throws, and told to the listeners, one change a
 * row, when it returns. A transaction inside another is part of it.
 */
export class Journal {
  #log: Undo[] | undefined;
  readonly #after = new Map<string, Row | undefined>();
  readonly #listeners: CommitListener[] = [];
  readonly #finishers: ((changes: readonly Change[]) => void)[] = [];

  /** Listeners run after the transaction, in the order in which they were added; they may not change rows. */
  onCommit(listener: CommitListener): void {
    this.#listeners.push(listener);
  }

  /** Finishers run at the end of each transaction and are part of it: they may change rows, and forbid it all by throwing. */
  beforeCommit(finisher: (changes: readonly Change[]) => void): void {
    this.#finishers.push(finisher);
  }

  record(
    table: string,
    before: Row | undefined,
    after: Row | undefined,
    restore: (row: Row | undefined) => void,
  ): void {
    if (this.#log === undefined) throw new Error(`${table} is changed outside a transaction`);
    const id = (before ?? after)?.id ?? '';
    this.#log.push({ table, id, before, restore });
    this.#after.set(`${table}/${id}`, after);
  }

  transaction<T>(work: () => T, origin?: Origin): T {
    if (this.#log !== undefined) return work();
    this.#log = [];
    let changes: Change[] = [];
    try {
      const result = work();
      changes = this.#finish(this.#log);
      return result;
    } catch (error) {
      for (const { before, restore } of this.#log.toReversed()) restore(before);
      throw error;
    } finally {
      this.#log = undefined;
      this.#after.clear();
      if (changes.length > 0) for (const listener of this.#listeners) listener(changes, origin);
    }
  }

  #finish(log: readonly Undo[]): Change[] {
    let changes = this.#changes(log);
    for (const finish of changes.length > 0 ? this.#finishers : []) {
      const size = log.length;
      finish(changes);
      if (log.length > size) changes = this.#changes(log);
    }
    return changes;
  }

  #changes(log: readonly Undo[]): Change[] {
    const first = new Map<string, Change>();
    for (const { table, id, before } of log) {
      const key = `${table}/${id}`;
      if (!first.has(key)) first.set(key, { table, before, after: this.#after.get(key) });
    }
    return [...first.values()].filter(({ before, after }) => before !== after);
  }
}
