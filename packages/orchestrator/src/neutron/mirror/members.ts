/** Which members belong to a key, both ways cheap. A member belongs to any number of keys. */
export class Index {
  readonly #members = new Map<string, Set<string>>();

  add(key: string, member: string): void {
    const members = this.#members.get(key);
    if (members === undefined) this.#members.set(key, new Set([member]));
    else members.add(member);
  }

  remove(key: string, member: string): void {
    const members = this.#members.get(key);
    if (members === undefined) return;
    members.delete(member);
    if (members.size === 0) this.#members.delete(key);
  }

  members(key: string): readonly string[] {
    return [...(this.#members.get(key) ?? [])];
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  keys(): string[] {
    return [...this.#members.keys()];
  }
}
