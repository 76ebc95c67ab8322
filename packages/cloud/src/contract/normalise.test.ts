import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { asSet, Normaliser } from './normalise.ts';

const port = () => ({
  id: randomUUID(),
  mac_address: 'fa:16:3e:00:00:01',
  fixed_ips: [{ subnet_id: randomUUID(), ip_address: '10.0.0.77' }],
  created_at: '2026-11-21T13:00:00Z',
  revision_number: 3,
});

test('what is random gets a name: the scenario’s, or a number', () => {
  const normaliser = new Normaliser('{"ip_address":"10.0.0.5"}', [['http://127.0.0.1:9696', '<network>']]);
  const given = port();
  normaliser.name(given.id, 'port');
  expect(normaliser.normalise({ port: given, link: `http://127.0.0.1:9696/v2.0/ports/${given.id}` })).toEqual({
    link: '<network>/v2.0/ports/<port>',
    port: {
      id: '<port>',
      mac_address: '<mac-1>',
      fixed_ips: [{ subnet_id: '<id-1>', ip_address: '<ip-1>' }],
      created_at: '0000-00-00T00:00:00Z',
      revision_number: '<number>',
    },
  });
  expect(normaliser.normalise({ ip_address: '10.0.0.5', message: 'both 10.0.0.77 and 10.0.0.5' })).toEqual({
    ip_address: '10.0.0.5',
    message: 'both <ip-1> and 10.0.0.5',
  });
});

test('of a revision number, what became of it', () => {
  const normaliser = new Normaliser('', []);
  const given = port();
  const revision = (revision_number: number) =>
    normaliser.normalise({ ...given, revision_number }, { tracked: true }) as { revision_number: unknown };
  const seen = [4, 4, 5, 1].map((number) => revision(number).revision_number);
  expect(seen).toEqual(['<new>', '<same>', '<grown>', '<shrunk>']);
});

test('lists of objects are sets, unless they were sorted', () => {
  const named = [{ name: 'b' }, { name: 'a' }];
  const normaliser = new Normaliser('', []);
  expect(normaliser.normalise({ networks: named })).toEqual({ networks: [{ name: 'a' }, { name: 'b' }] });
  expect(normaliser.normalise({ networks: named }, { sorted: true })).toEqual({ networks: named });
  expect(asSet([{ b: 1 }, { a: 1 }, { b: 1 }])).toEqual([{ a: 1 }, { b: 1 }]);
});
