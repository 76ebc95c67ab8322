import type { InstanceView } from '@astara/model/instance.ts';
import { expect, test } from 'vitest';
import { Observed } from './observed.ts';

function view(id: string, change: Partial<InstanceView> = {}): InstanceView {
  return {
    id,
    resource: { kind: 'router', id },
    state: 'running',
    created_at: '2026-11-21T00:00:00Z',
    attachments: [],
    appliance_socket: '/nowhere',
    applied: null,
    services: [],
    ...change,
  };
}
const a = { kind: 'router', id: 'a' } as const;
const applied = { generation: 2, etag: 'new' };

test('nothing is known before the first listing', () => {
  const observed = new Observed();
  expect(observed.of(a)).toBeUndefined();
  observed.replace([], observed.beginList());
  expect(observed.of(a)).toEqual([]);
});

test('a listing tells whose instances are not what was known of them', () => {
  const observed = new Observed();
  observed.replace([view('a'), view('b'), view('c'), view('d')], observed.beginList());
  const seen = [view('a'), view('b', { state: 'dead' }), view('c', { applied }), view('e')];
  expect(observed.replace(seen, observed.beginList()).map(({ id }) => id)).toEqual(['b', 'c', 'd', 'e']);
  expect([...observed.all()]).toEqual([view('a'), view('b', { state: 'dead' }), view('c', { applied }), view('e')]);
});

test('a listing that was asked for before an operation ended is not believed about its instance', async () => {
  const observed = new Observed();
  observed.replace([view('a'), view('b')], observed.beginList());
  const begun = observed.beginList();
  await observed.during('a', async () => observed.applied('a', applied));
  await observed.during('b', async () => observed.remove('b'));
  await observed.during('c', async () => observed.put(view('c')));
  expect(observed.replace([view('a'), view('b')], begun)).toEqual([]);
  expect([...observed.all()].map(({ id }) => id)).toEqual(['a', 'c']);
  expect(observed.of(a)).toEqual([view('a', { applied })]);
  expect(observed.replace([view('a'), view('c')], observed.beginList()).map(({ id }) => id)).toEqual(['a']);
});

test('nor is one that was asked for and answered during the operation', async () => {
  const observed = new Observed();
  observed.replace([view('a')], observed.beginList());
  await observed.during('a', async () => {
    observed.replace([], observed.beginList());
    expect(observed.of(a)).toEqual([view('a')]);
  });
});

test('a failed operation does not hide its instance for ever', async () => {
  const observed = new Observed();
  observed.replace([view('a')], observed.beginList());
  await expect(observed.during('a', () => Promise.reject(new Error('test')))).rejects.toThrow('test');
  expect(observed.replace([], observed.beginList())).toEqual([a]);
});

test('an instance that was given to another resource is found there', () => {
  const observed = new Observed();
  observed.replace([view('a')], observed.beginList());
  observed.put(view('a', { resource: { kind: 'network', id: 'n' } }));
  expect(observed.of(a)).toEqual([]);
  expect(observed.of({ kind: 'network', id: 'n' })).toHaveLength(1);
});
