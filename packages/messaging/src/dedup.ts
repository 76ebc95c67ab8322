/** Remembers the last `capacity` ids, so that a message the broker delivers twice is handled once. */
export class Dedup {
  readonly #seen = new Set<string>();
  readonly #capacity: number;

  constructor(capacity = 4096) {
    this.#capacity = capacity;
  }

  /** True if `id` was seen before; remembers it either way. A message without an id is always new. */
  seen(id: string | undefined): boolean {
    if (id === undefined) return false;
    // Deleting first moves a known id to the young end of the set.
    const known = this.#seen.delete(id);
    this.#seen.add(id);
    if (this.#seen.size > this.#capacity) {
      const oldest = this.#seen.values().next();
      if (!oldest.done) this.#seen.delete(oldest.value);
    }
    return known;
  }
}
