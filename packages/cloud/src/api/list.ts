import type { StandardRow } from '../store/rows.ts';
import { hasTags, matches, parseQuery, type Query, splitPair } from './query.ts';
import type { Context, Resource } from './resource.ts';
import { isVisible, notFound, shown } from './visibility.ts';

export interface Page {
  readonly items: readonly Record<string, unknown>[];
  /** Absent where the whole list was asked for. */
  readonly links: readonly { readonly rel: string; readonly href: string }[] | undefined;
}

/** A row whose view is made only when something about it is asked that the row itself does not say. */
interface Candidate<R> {
  readonly row: R;
  value(name: string): unknown;
}

/** A list as the query asks for it, of what the caller may see. `url` is that of the request, to make links of. */
export function listPage<R extends { readonly id: string }>(context: Context, resource: Resource<R>, url: URL): Page {
  const query = parseQuery(url.searchParams, resource.attributes);
  checkPairs(resource, query);
  const found = candidates(context, resource, query).filter((row) => isVisible(context, resource, row));
  const kept = matching(context, resource, found, query);
  const page =
    query.sort.length === 0
      ? pageById(kept, resource, query)
      : cut(sorted(context, resource, kept, query), resource, query);
  const items = page.map((row) => pick(shown(context, resource, row), query.fields));
  return { items, links: query.limit === undefined ? undefined : links(page, query, url) };
}

function matching<R extends { readonly id: string }>(
  context: Context,
  resource: Resource<R>,
  rows: readonly R[],
  { filters, tags }: Query,
): readonly R[] {
  if (filters.size === 0 && tags.size === 0) return rows;
  return rows.filter((row) => {
    const { value } = candidate(context, resource, row);
    return [...filters].every(([name, wanted]) => matches(value(name), wanted)) && hasTags(tagsOf(row), tags);
  });
}

export function pick(view: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  if (fields.length === 0) return view;
  return Object.fromEntries(Object.entries(view).filter(([name]) => fields.includes(name)));
}

function candidates<R extends { readonly id: string }>(
  context: Context,
  resource: Resource<R>,
  { filters }: Query,
): readonly R[] {
  const ids = filters.get('id');
  if (ids !== undefined) {
    const found = [...new Set(ids)].map((id) => resource.get(context, id));
    return found.filter((row) => row !== undefined);
  }
  for (const [name, find] of Object.entries(resource.lookup ?? {})) {
    const wanted = filters.get(name);
    if (wanted !== undefined) return [...new Set(wanted.flatMap((value) => find(context, value)))];
  }
  return resource.list(context);
}

function candidate<R extends { readonly id: string }>(context: Context, resource: Resource<R>, row: R): Candidate<R> {
  let view: Record<string, unknown> | undefined;
  return {
    row,
    value: (name) => {
      const own = (row as Readonly<Record<string, unknown>>)[name];
      if (typeof own === 'string' || typeof own === 'boolean') return own;
      view ??= resource.view(context, row);
      return view[name];
    },
  };
}

const tagsOf = (row: { readonly id: string }) => (row as Partial<StandardRow>).tags ?? [];

/** What is wrong with a filter is said also when there is nothing to filter. */
function checkPairs<R extends { readonly id: string }>(resource: Resource<R>, { filters }: Query): void {
  for (const [name, wanted] of filters) {
    const { default: usual } = resource.attributes[name] ?? {};
    if (typeof usual === 'boolean') matches(usual, wanted);
  }
  for (const pair of filters.get('fixed_ips') ?? []) splitPair(pair);
}

function sorted<R extends { readonly id: string }>(
  context: Context,
  resource: Resource<R>,
  rows: readonly R[],
  { sort }: Query,
): readonly R[] {
  const ordered = rows.map((row) => candidate(context, resource, row));
  ordered.sort((one, other) => {
    for (const { key, descending } of sort) {
      const order = compare(one.value(key), other.value(key));
      if (order !== 0) return descending ? -order : order;
    }
    return compare(one.row.id, other.row.id);
  });
  return ordered.map(({ row }) => row);
}

function compare(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return one < other ? -1 : 1;
}

/** A page of a list in the order of ids, which is found without sorting the list: a client that reads all of it asks for many. */
function pageById<R extends { readonly id: string }>(
  rows: readonly R[],
  resource: Resource<R>,
  query: Query,
): readonly R[] {
  const { limit, marker, reverse } = query;
  if (limit === undefined) {
    const all = rows.toSorted((one, other) => compare(one.id, other.id));
    return cut(all, resource, query);
  }
  if (marker !== undefined && !rows.some((row) => row.id === marker)) throw notFound(resource, marker);
  // Nothing but these comparisons takes time here.
  const isBefore = reverse ? (a: string, b: string) => a > b : (a: string, b: string) => a < b;
  const order = (one: R, other: R) => (isBefore(one.id, other.id) ? -1 : 1);
  let best: R[] = [];
  let worst: string | undefined;
  for (const row of rows) {
    if (marker !== undefined && !isBefore(marker, row.id)) continue;
    if (worst !== undefined && isBefore(worst, row.id)) continue;
    best.push(row);
    if (best.length < 2 * limit) continue;
    best = best.sort(order).slice(0, limit);
    worst = best.at(-1)?.id;
  }
  const page = best.sort(order).slice(0, limit);
  return reverse ? page.reverse() : page;
}

function cut<R extends { readonly id: string }>(
  rows: readonly R[],
  resource: Resource<R>,
  { limit, marker, reverse }: Query,
): readonly R[] {
  const at = marker === undefined ? -1 : rows.findIndex((row) => row.id === marker);
  if (marker !== undefined && at < 0) throw notFound(resource, marker);
  if (limit === undefined) return rows.slice(at + 1);
  if (!reverse) return rows.slice(at + 1, at + 1 + limit);
  const end = marker === undefined ? rows.length : at;
  return rows.slice(Math.max(0, end - limit), end);
}

function links<R extends { readonly id: string }>(
  page: readonly R[],
  { limit = 0, reverse }: Query,
  url: URL,
): Page['links'] {
  const [first, last] = [page[0], page.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const short = page.length < limit;
  const href = (marker: string, back: boolean) => {
    const search = new URLSearchParams(url.search);
    for (const name of ['marker', 'page_reverse']) search.delete(name);
    search.set('marker', marker);
    if (back) search.set('page_reverse', 'True');
    return `${url.origin}${url.pathname}?${search}`;
  };
  return [
    ...(short && !reverse ? [] : [{ rel: 'next', href: href(last.id, false) }]),
    ...(short && reverse ? [] : [{ rel: 'previous', href: href(first.id, true) }]),
  ];
}
