import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Store } from '../store/store.ts';
import { listPage } from './list.ts';
import type { Context, Resource } from './resource.ts';

interface Thing {
  readonly id: string;
  readonly name: string;
}

const context: Context = {
  store: new Store(),
  caller: { userId: '', projectId: '', isAdmin: true, requestId: '', timestamp: 0 },
  notify: () => undefined,
};

function things(rows: readonly Thing[]): Resource<Thing> {
  return {
    singular: 'thing',
    plural: 'things',
    attributes: { id: {}, name: {} },
    notFound: { type: 'ThingNotFound', message: (id) => `no ${id}` },
    list: () => rows,
    get: (_context, id) => rows.find((row) => row.id === id),
    view: (_context, row) => ({ ...row }),
  };
}

const some = fc.array(
  fc.constantFrom('a', 'b', 'c').map((name): Thing => ({ id: randomUUID(), name })),
  { maxLength: 40 },
);
const order = fc.constantFrom(
  '',
  'sort_key=id&sort_dir=desc',
  'sort_key=name&sort_dir=asc',
  'sort_key=name&sort_dir=desc',
);

test('pages put together are the list, forth and back, whatever their size and order', () => {
  fc.assert(
    fc.property(some, order, fc.integer({ min: 1, max: 12 }), fc.boolean(), (rows, sort, limit, reverse) => {
      const resource = things(rows);
      const read = (query: string) => listPage(context, resource, new URL(`http://cloud/v2.0/things?${query}`));
      const whole = read(sort).items.map(({ id }) => id);
      expect(whole.toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
      const seen: unknown[] = [];
      let query: string | undefined = `${sort}&limit=${limit}${reverse ? '&page_reverse=True' : ''}`;
      while (query !== undefined) {
        const { items, links } = read(query);
        expect(items.length).toBeLessThanOrEqual(limit);
        const ids = items.map(({ id }) => id);
        if (reverse) seen.unshift(...ids);
        else seen.push(...ids);
        const href = links?.find(({ rel }) => rel === (reverse ? 'previous' : 'next'))?.href;
        query = href === undefined ? undefined : new URL(href).search.slice(1);
      }
      expect(seen).toEqual(whole);
    }),
  );
});

test('a marker that is not in the list is not found', () => {
  const read = (query: string) => () => listPage(context, things([]), new URL(`http://cloud/v2.0/things?${query}`));
  for (const query of ['marker=x', 'marker=x&limit=1', 'marker=x&limit=1&sort_key=name&sort_dir=asc']) {
    expect(read(query)).toThrow('no x');
  }
});
