import { isDeepStrictEqual } from 'node:util';

/** Addresses are chosen at random within a subnet. Those that a scenario names itself are kept. */
const addressKeys = new Set(['ip_address', 'floating_ip_address', 'fixed_ip_address', 'nexthop_ip']);
/** Numbers that are chosen at random. */
const numberKeys = new Set(['provider:segmentation_id', 'segmentation_id', 'standard_attr_id']);
const randomKeys = new Set(['audit_ids', 'secret']);
/** Texts for people, with ids and addresses in them. */
const proseKeys = new Set(['message', 'detail']);

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const marked = new RegExp(`${uuid}|\\b[0-9a-f]{32}\\b|\\bfa:16:3e(?::[0-9a-f]{2}){3}\\b`, 'g');
const address = /(?<![\w:.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w:])/g;
const time = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?$/;

/**
 * Replaces what differs from run to run: ids, MACs and addresses by names (those of the scenario, or numbers in the order they
 * appear in), times by their form, revision numbers by what became of them. Keys are sorted; lists of objects and of ids are
 * sets, unless the request said how to sort.
 */
export class Normaliser {
  readonly #names = new Map<string, string>();
  readonly #kept: ReadonlySet<string>;
  readonly #places: readonly (readonly [text: string, name: string])[];
  readonly #revisions = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  /** `spoken`: all that the scenario says, as text; `places`: parts of URLs and what to call them. */
  constructor(spoken: string, places: readonly (readonly [string, string])[]) {
    this.#kept = new Set([...(spoken.match(address) ?? []), ...(spoken.match(marked) ?? [])]);
    this.#places = places;
  }

  name(value: string, name: string): void {
    if (isRandom(value)) this.#names.set(value, `<${name}>`);
  }

  /** `sorted`: the list of the answer came in an order that was asked for. `tracked`: revisions are compared with those before. */
  normalise(value: unknown, { sorted = false, tracked = false } = {}): unknown {
    return this.#walk(this.#ordered(value, sorted ? 1 : 0), '', tracked);
  }

  /** Keys sorted, sets sorted by what is known of their members: ids get their numbers in an order that is always the same. */
  #ordered(value: unknown, keepOrder: number): unknown {
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#ordered(item, 0));
      if (keepOrder > 0 || !items.every((item) => isSetMember(item))) return items;
      const ranked = items.map((item) => [this.#rank(item), item] as const);
      return ranked.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
    }
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(([key, item]) => {
      const listed = keepOrder > 0 && Array.isArray(item) ? 1 : 0;
      return [key, key === 'tags' && Array.isArray(item) ? item.toSorted() : this.#ordered(item, listed)] as const;
    });
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #rank(item: unknown): string {
    const masked = (key: string, value: unknown): unknown => {
      if (key === 'revision_number' || numberKeys.has(key)) return 0;
      if (typeof value !== 'string') return value ?? '';
      if (addressKeys.has(key) && !this.#kept.has(value)) return this.#given(value);
      return this.#timeless(value).replace(marked, (found) => this.#given(found));
    };
    return JSON.stringify(item, masked);
  }

  /** By the scenario; numbers say nothing, for they depend on the order. */
  #given(value: string): string {
    const name = this.#known(value) ?? '';
    return /^<(id|mac|ip)-\d+>$/.test(name) ? '' : name;
  }

  #walk(value: unknown, key: string, tracked: boolean): unknown {
    if (randomKeys.has(key)) return '<random>';
    if (typeof value === 'number') return numberKeys.has(key) && !this.#kept.has(String(value)) ? '<number>' : value;
    if (typeof value === 'string') return this.#text(value, key);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item, key, tracked));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(([name, item]) => [
      this.#text(name, ''),
      name === 'revision_number' ? this.#revision(value, item, tracked) : this.#walk(item, name, tracked),
    ]);
    return Object.fromEntries(entries);
  }

  #text(value: string, key: string): string {
    if (addressKeys.has(key) && value !== '' && !this.#kept.has(value)) return this.#named(value);
    const timeless = this.#timeless(value);
    if (timeless !== value) return timeless;
    let text = value;
    for (const [place, name] of this.#places) text = text.replaceAll(place, name);
    text = text.replace(marked, (found) => this.#known(found) ?? this.#named(found));
    if (!proseKeys.has(key)) return text;
    return text
      .replace(address, (found) => (this.#kept.has(found) ? found : this.#named(found)))
      .replace(/<[\w.-]+>(?:, ?<[\w.-]+>)+/g, (ids) => ids.split(/, ?/).sort().join(','));
  }

  #timeless(value: string): string {
    return time.test(value) ? value.replace(/\d/g, '0') : value;
  }

  #known(found: string): string | undefined {
    return this.#names.get(found) ?? (this.#kept.has(found) ? found : undefined);
  }

  #named(value: string): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const kind = value.includes('fa:16:3e:') ? 'mac' : /^[0-9a-f-]+$/.test(value) ? 'id' : 'ip';
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `<${kind}-${count}>`;
    this.#names.set(value, name);
    return name;
  }

  #revision(owner: object, value: unknown, tracked: boolean): unknown {
    if (typeof value !== 'number') return value;
    if (!tracked) return '<number>';
    const { id } = owner as { id?: unknown };
    if (typeof id !== 'string') return '<number>';
    const before = this.#revisions.get(id);
    this.#revisions.set(id, value);
    if (before === undefined) return '<new>';
    return value === before ? '<same>' : value > before ? '<grown>' : '<shrunk>';
  }
}

const isRandom = (value: string) => {
  const found = value.match(marked);
  return found !== null || /^(?:\d{1,3}\.){3}\d{1,3}$|:.*:/.test(value);
};

/** Lists of these have no order of their own. */
function isSetMember(item: unknown): boolean {
  if (typeof item === 'string') return new RegExp(`^${uuid}$`).test(item);
  return item !== null && typeof item === 'object' && !Array.isArray(item);
}

/** Without doubles: the sender may say a thing twice. Sorted, for messages to several receivers have no order. */
export function asSet(values: readonly unknown[]): unknown[] {
  const texts = values.map((value) => ({ text: JSON.stringify(value), value }));
  texts.sort((a, b) => (a.text < b.text ? -1 : 1));
  return texts.filter(({ value }, at) => !isDeepStrictEqual(value, texts[at - 1]?.value)).map(({ value }) => value);
}
