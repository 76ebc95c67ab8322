/** Rows are never changed in place: a changed row is a new object. */
export interface Row {
  readonly id: string;
}

/** By name of the index: the values under which a row is found. */
export type Indexes<R extends Row> = Readonly<Record<string, (row: R) => readonly string[]>>;

/** Called with every change, before and after; undefined: there was, or is, no such row. */
export type Recorder<R extends Row> = (before: R | undefined, after: R | undefined) => void;

/**
 * Rows of one kind, in the order in which they were made (a deletion that is undone leaves its row last), found by id or through an
 * index in constant time.
 */
export class Table<R extends Row, I extends Indexes<R> = Indexes<R>> {
  readonly name: string;
  readonly #rows = new Map<string, R>();
  readonly #indexes: I;
  readonly #found = new Map<string, Map<string, Set<string>>>();
  readonly #record: Recorder<R>;

  /** `record` throws when the table may not be changed now. */
  constructor(name: string, indexes: I, record: Recorder<R>) {
    this.name = name;
    this.#indexes = indexes;
    this.#record = record;
    for (const index of Object.keys(indexes)) this.#found.set(index, new Map());
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): R | undefined {
    return this.#rows.get(id);
  }

  all(): R[] {
    return [...this.#rows.values()];
  }

  by(index: keyof I & string, value: string): R[] {
    const ids = this.#found.get(index)?.get(value) ?? [];
    return [...ids].map((id) => this.#rows.get(id)).filter((row) => row !== undefined);
  }

  /** How many `by` would answer, without making a list of them. */
  count(index: keyof I & string, value: string): number {
    return this.#found.get(index)?.get(value)?.size ?? 0;
  }

  /** Inserts, or replaces the row of the same id. */
  put(row: R): R {
    const before = this.#rows.get(row.id);
    this.#record(before, row);
    this.#place(before, row);
    return row;
  }

  delete(id: string): void {
    const before = this.#rows.get(id);
    if (before === undefined) return;
    this.#record(before, undefined);
    this.#place(before, undefined);
  }

  /** Without recording it: to undo a change, and to load what was saved. */
  restore(id: string, row: R | undefined): void {
    this.#place(this.#rows.get(id), row);
  }

  #place(before: R | undefined, after: R | undefined): void {
    for (const [index, values] of Object.entries(this.#indexes)) {
      const found = this.#found.get(index);
      if (found === undefined) continue;
      for (const value of before === undefined ? [] : values(before)) {
        const ids = found.get(value);
        ids?.delete(before?.id ?? '');
        if (ids?.size === 0) found.delete(value);
      }
      for (const value of after === undefined ? [] : values(after)) {
        const ids = found.get(value);
        if (ids === undefined) found.set(value, new Set([after?.id ?? '']));
        else ids.add(after?.id ?? '');
      }
    }
    if (after !== undefined) this.#rows.set(after.id, after);
    else if (before !== undefined) this.#rows.delete(before.id);
  }
}
