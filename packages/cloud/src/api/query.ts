import { badRequest, Fault, invalidInput } from './fault.ts';
import { boolean, isObject } from './parse.ts';
import type { Attribute } from './resource.ts';

/** The query language of a list, read and checked. */
export interface Query {
  readonly fields: readonly string[];
  readonly filters: ReadonlyMap<string, readonly string[]>;
  readonly tags: ReadonlyMap<TagFilter, readonly string[]>;
  readonly sort: readonly { readonly key: string; readonly descending: boolean }[];
  /** undefined: all. */
  readonly limit: number | undefined;
  readonly marker: string | undefined;
  readonly reverse: boolean;
}

const tagFilters = ['tags', 'tags-any', 'not-tags', 'not-tags-any'] as const;
type TagFilter = (typeof tagFilters)[number];

const words = new Set<string>([
  ...['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir'],
  ...tagFilters,
]);

export function parseQuery(search: URLSearchParams, attributes: Readonly<Record<string, Attribute>>): Query {
  const filters = new Map<string, readonly string[]>();
  for (const name of new Set(search.keys())) if (!words.has(name)) filters.set(name, search.getAll(name));
  const unknown = [...filters.keys()].filter(
    (name) => !Object.hasOwn(attributes, name) || attributes[name]?.filter === false,
  );
  if (unknown.length > 0) throw refused(unknown, 'is invalid attribute for filtering');
  const limit = parseLimit(search.get('limit'));
  const tags = tagFilters.flatMap((name) => {
    const wanted = search.getAll(name).flatMap((value) => value.split(','));
    return wanted.length === 0 ? [] : [[name, wanted] as const];
  });
  return {
    fields: search.getAll('fields').filter((field) => field !== ''),
    filters,
    tags: new Map(tags),
    sort: parseSort(search.getAll('sort_key'), search.getAll('sort_dir'), attributes),
    limit: limit === 0 ? undefined : limit,
    marker: search.get('marker') ?? undefined,
    reverse: limit !== undefined && limit > 0 && /^(true|1)$/i.test(search.get('page_reverse') ?? ''),
  };
}

const refused = (names: readonly string[], why: string) =>
  badRequest(`[${names.map((name) => `'${name}'`).join(', ')}] ${why}`);

function parseLimit(given: string | null): number | undefined {
  if (given === null) return undefined;
  if (/^\d{1,9}$/.test(given)) return Number(given);
  const message = `Bad limit request: Limit must be an integer 0 or greater and not '${given}'.`;
  throw new Fault(400, 'BadRequest', message);
}

function parseSort(
  keys: readonly string[],
  directions: readonly string[],
  attributes: Readonly<Record<string, Attribute>>,
): Query['sort'] {
  if (keys.length !== directions.length) throw badRequest('The number of sort_keys and sort_dirs must be same');
  const wrong = directions.filter((direction) => direction !== 'asc' && direction !== 'desc');
  if (wrong.length > 0) throw refused(wrong, "is invalid value for sort_dirs, valid value is 'asc' and 'desc'");
  const unsortable = keys.filter((key) => !Object.hasOwn(attributes, key) || attributes[key]?.sort === false);
  if (unsortable.length > 0) throw refused(unsortable, 'is invalid attribute for sort_keys');
  return keys.map((key, at) => ({ key, descending: directions[at] === 'desc' }));
}

/** Whether a value is one of those asked for. Of a list: whether one of its items is. */
export function matches(value: unknown, wanted: readonly string[]): boolean {
  if (Array.isArray(value)) {
    // Python's any(): a list of objects is asked about their keys.
    if (wanted.some((one) => one.includes('=')) || value.some(isObject)) return matchesItems(value, wanted);
    return value.some((item) => wanted.includes(String(item)));
  }
  if (typeof value === 'boolean') return wanted.some((one) => boolean(one, '') === value);
  if (value === null || value === undefined) return wanted.includes('');
  if (isObject(value)) return false;
  return wanted.includes(String(value));
}

/** `ip_address=10.0.0.5`, `subnet_id=…`: one key several times means any of the values, several keys mean all of them. */
function matchesItems(items: readonly unknown[], wanted: readonly string[]): boolean {
  const asked = new Map<string, string[]>();
  for (const [key, value] of wanted.map(splitPair)) asked.set(key, [...(asked.get(key) ?? []), value]);
  return items.some(
    (item) => isObject(item) && [...asked].every(([key, values]) => values.some((value) => holds(item, key, value))),
  );
}

export function splitPair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw invalidInput(`'${text}' is not of the form <key>=[value]`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function holds(item: Readonly<Record<string, unknown>>, key: string, value: string): boolean {
  if (key === 'ip_address_substr') return String(item.ip_address).includes(value);
  return String(item[key]) === value;
}

export function hasTags(tags: readonly string[], filters: Query['tags']): boolean {
  return [...filters].every(([filter, wanted]) => {
    const all = wanted.every((tag) => tags.includes(tag));
    const any = wanted.some((tag) => tags.includes(tag));
    return { tags: all, 'tags-any': any, 'not-tags': !all, 'not-tags-any': !any }[filter];
  });
}
