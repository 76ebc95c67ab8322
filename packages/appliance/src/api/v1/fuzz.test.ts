import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config2016 } from '@astara/model/appliance/api/v1.ts';
import { validator } from '@astara/model/validate.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { odd, places, replaced } from '../../testing/mutations.ts';
import { translate } from './translate.ts';

const directory = join(import.meta.dirname, '../../../test-fixtures/v1');
const bodies = readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as unknown);
const valid2016 = validator(Config2016);
const names = new Map(['eth0', 'eth1', 'eth2'].map((real, index) => [`ge${index}`, real]));

/** What is at `pointer`, or whether its parent is there. */
function exists(value: unknown, pointer: string): boolean {
  const keys = pointer.split('/').slice(1, -1);
  const parent = keys.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/')],
    value,
  );
  return pointer === '/' || (typeof parent === 'object' && parent !== null);
}

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
