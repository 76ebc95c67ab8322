import { InstanceView } from '@astara/model/instance.ts';
import { validator } from '@astara/model/validate.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { offendingField } from './instance-view.ts';

const valid = validator(InstanceView);

const good = {
  id: '0a-b',
  resource: { kind: 'router', id: '11111111-1111-1111-1111-111111111111' },
  state: 'running',
  created_at: '2026-11-21T00:00:00Z',
  attachments: [
    {
      port_id: '22222222-2222-2222-2222-222222222222',
      network_id: '33333333-3333-3333-3333-333333333333',
      mac_address: 'fa:16:3e:00:00:01',
      mtu: 1500,
      ifname: 'qr-22222222-22',
      plug: 'bridge',
    },
  ],
  appliance_socket: '/run/astara/instances/a/api.sock',
  applied: { generation: 1, etag: 'e' },
  services: [
    { name: 'dnsmasq', wanted: true, running: true },
    { name: 'bird', wanted: true, running: false, error: 'no config' },
  ],
};

/** Every place in `value`, as a path. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => places(inner, [...path, name]))];
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  if (Array.isArray(value))
    return value.map((inner, index) => (String(index) === name ? replaced(inner, rest, by) : inner));
  const copy: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  if (rest.length === 0 && by === undefined) delete copy[name];
  else copy[name] = replaced(copy[name], rest, by);
  return copy;
}

test('agrees with the schema, whichever field is spoilt and how', () => {
  expect(offendingField(good)).toBeUndefined();
  const other = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      0,
      -1,
      1.5,
      67,
      68,
      65535,
      65536,
      Number.NaN,
      true,
      '',
      'dead',
      'network',
      'ovs',
    ),
    fc.constantFrom<unknown>(
      [],
      {},
      { generation: 2 },
      { generation: 2, etag: 'f', more: 1 },
      'A',
      'a'.repeat(64),
      'a'.repeat(65),
    ),
    fc.constantFrom<unknown>(
      'x'.repeat(255),
      'x'.repeat(256),
      'ü'.repeat(255),
      'qr 1',
      'fa:16:3e:00:00:0g',
      'a\n',
      'a-b.c_d',
    ),
    fc.jsonValue(),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.constantFrom(...places(good)), other, fc.boolean(), (path, by, extra) => {
      const spoilt = replaced(good, path, extra && typeof by === 'object' ? { ...by, unknown: 1 } : by);
      const told = offendingField(spoilt);
      expect(told === undefined, `${path.join('/')} := ${JSON.stringify(by)}`).toBe(valid(spoilt).ok);
      if (told !== undefined)
        expect(`/${path.join('/')}`.startsWith(told) || told.startsWith(`/${path.join('/')}`)).toBe(true);
    }),
    { numRuns: 10_000 },
  );
});
