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
  let rows = candidates(context, resource, query)
    .filter((row) => isVisible(context, resource, row))
    .map((row) => candidate(context, resource, row))
    .filter((one) => [...query.filters].every(([name, wanted]) => matches(one.value(name), wanted)));
  if (query.tags.size > 0) rows = rows.filter(({ row }) => hasTags(tagsOf(row), query.tags));
  const page = cut(sorted(rows, query), resource, query);
  const items = page.map(({ row }) => pick(shown(context, resource, row), query.fields));
  return { items, links: query.limit === undefined ? undefined : links(page, query, url) };
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

function sorted<R extends { readonly id: string }>(rows: readonly Candidate<R>[], { sort }: Query): Candidate<R>[] {
  return rows.toSorted((one, other) => {
    for (const { key, descending } of sort) {
      const order = compare(one.value(key), other.value(key));
      if (order !== 0) return descending ? -order : order;
    }
    return compare(one.row.id, other.row.id);
  });
}

function compare(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return one < other ? -1 : 1;
}

function cut<R extends { readonly id: string }>(
  rows: readonly Candidate<R>[],
  resource: Resource<R>,
  { limit, marker, reverse }: Query,
): readonly Candidate<R>[] {
  const at = marker === undefined ? -1 : rows.findIndex(({ row }) => row.id === marker);
  if (marker !== undefined && at < 0) throw notFound(resource, marker);
  if (limit === undefined) return rows.slice(at + 1);
  if (!reverse) return rows.slice(at + 1, at + 1 + limit);
  const end = marker === undefined ? rows.length : at;
  return rows.slice(Math.max(0, end - limit), end);
}

function links<R extends { readonly id: string }>(
  page: readonly Candidate<R>[],
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
    ...(short && !reverse ? [] : [{ rel: 'next', href: href(last.row.id, false) }]),
    ...(short && reverse ? [] : [{ rel: 'previous', href: href(first.row.id, true) }]),
  ];
}
