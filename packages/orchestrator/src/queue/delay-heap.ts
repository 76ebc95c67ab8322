/** What is due when, the earliest first. A value is at most once in it; adding it again moves it. */
export class DelayHeap<T> {
  /** A binary heap; places that a later `add` or `delete` made void are skipped when they come up. */
  #places: { readonly due: number; readonly order: number; readonly value: T }[] = [];
  readonly #current = new Map<T, number>();
  #order = 0;

  get size(): number {
    return this.#current.size;
  }

  add(value: T, due: number): void {
    if (this.#places.length > 2 * this.#current.size + 64) this.#compact();
    const order = this.#order++;
    this.#current.set(value, order);
    this.#places.push({ due, order, value });
    this.#up(this.#places.length - 1);
  }

  delete(value: T): boolean {
    return this.#current.delete(value);
  }

  clear(): void {
    this.#current.clear();
    this.#places.length = 0;
  }

  /** When the earliest is due. */
  get next(): number | undefined {
    this.#dropVoid();
    return this.#places[0]?.due;
  }

  /** Takes out the earliest that is due at `now`; equal ones in the order they were added. */
  take(now: number): T | undefined {
    this.#dropVoid();
    const top = this.#places[0];
    if (top === undefined || top.due > now) return undefined;
    this.#current.delete(top.value);
    this.#pop();
    return top.value;
  }

  values(): Iterable<T> {
    return this.#current.keys();
  }

  /** A sorted array is a heap. */
  #compact(): void {
    this.#places = this.#places
      .filter(({ value, order }) => this.#current.get(value) === order)
      .sort((a, b) => a.due - b.due || a.order - b.order);
  }

  #dropVoid(): void {
    for (;;) {
      const top = this.#places[0];
      if (top === undefined || this.#current.get(top.value) === top.order) return;
      this.#pop();
    }
  }

  #pop(): void {
    const last = this.#places.pop();
    if (last === undefined || this.#places.length === 0) return;
    this.#places[0] = last;
    this.#down(0);
  }

  #less(a: number, b: number): boolean {
    const left = this.#places[a];
    const right = this.#places[b];
    if (left === undefined || right === undefined) return false;
    return left.due < right.due || (left.due === right.due && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const left = this.#places[a];
    const right = this.#places[b];
    if (left === undefined || right === undefined) return;
    this.#places[a] = right;
    this.#places[b] = left;
  }

  #up(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#less(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #down(index: number): void {
    for (let parent = index; ; ) {
      const left = 2 * parent + 1;
      let least = this.#less(left, parent) ? left : parent;
      if (this.#less(left + 1, least)) least = left + 1;
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }
}
