import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config2016 } from '@astara/model/appliance/api/v1.ts';
import { validator } from '@astara/model/validate.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { translate } from './translate.ts';

const directory = join(import.meta.dirname, '../../../test-fixtures/v1');
const bodies = readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as unknown);
const valid2016 = validator(Config2016);
const names = new Map(['eth0', 'eth1', 'eth2'].map((real, index) => [`ge${index}`, real]));

type Place = readonly (string | number)[];

function places(value: unknown, path: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: Place, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

/** What is at `pointer`, or whether its parent is there. */
function exists(value: unknown, pointer: string): boolean {
  const keys = pointer.split('/').slice(1, -1);
  const parent = keys.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/')],
    value,
  );
  return pointer === '/' || (typeof parent === 'object' && parent !== null);
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    'any',
    'ge0',
    'ge99',
    '0.0.0.0',
    '0.0.0.0/0',
    '::/0',
    '255.255.255.255',
    '::1',
    'fe80::1',
    '10.0.0.0/33',
    'a\nb',
    'x'.repeat(300),
    '"; drop',
    -1,
    0,
    1,
    255,
    256,
    65_536,
    2 ** 53,
    1e300,
    true,
    false,
    [],
    {},
    [[]],
    [null],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.jsonValue({ maxDepth: 3 }),
);

it('whatever replaces a part of a body of 2016, it is a configuration or a list of fields that were sent', () => {
  const cases = bodies.flatMap((body) => places(body).map((place) => ({ body, place })));
  let taken = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...cases), odd, ({ body, place }, by) => {
      const sent = replaced(body, place, by);
      const checked = valid2016(sent);
      if (!checked.ok) {
        refused += 1;
        expect(checked.errors.length).toBeGreaterThan(0);
        return;
      }
      const translated = translate(checked.value, { names, generation: 0 });
      if (translated.ok) {
        taken += 1;
        return;
      }
      refused += 1;
      for (const { field } of translated.errors)
        expect(exists(sent, field), `${field} of ${JSON.stringify(sent)}`).toBe(true);
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(500);
}, 30_000);
