import type { Json } from './step.ts';

/** What `{name}` stands for in a run: ids of its accounts and agents, and what its steps saved. */
export class Names {
  readonly #values: Map<string, string>;

  constructor(values: Readonly<Record<string, string>> = {}) {
    this.#values = new Map(Object.entries(values));
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  entries(): [name: string, value: string][] {
    return [...this.#values];
  }

  /** The value with every `{name}` replaced. A name that nothing was saved under stays: the request shows it. */
  fill<T extends Json>(value: T): T {
    return this.#filled(value) as T;
  }

  #filled(value: Json): Json {
    if (typeof value === 'string') {
      return value.replace(/\{([\w.]+)\}/g, (whole, name: string) => this.#values.get(name) ?? whole);
    }
    if (value === null || typeof value !== 'object') return value;
    if (isList(value)) return value.map((item) => this.#filled(item));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.fill(key), this.#filled(item)]));
  }
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** The text at a path of words and numbers, e.g. `ports.0.id`; undefined where there is none. */
export function textAt(value: unknown, path: string): string | undefined {
  let at = value;
  for (const word of path.split('.')) {
    if (at === null || typeof at !== 'object') return undefined;
    at = (at as Record<string, unknown>)[word];
  }
  return typeof at === 'string' || typeof at === 'number' ? String(at) : undefined;
}
