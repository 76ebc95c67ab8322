import fc from 'fast-check';
import { odd, places, replaced } from './mutations.ts';

/** A line that would be one of its own if it ever got into a configuration file. */
export const INJECTED = 'EVIL';

const tails = [
  `\n${INJECTED}`,
  `\r\n${INJECTED}`,
  `"\n${INJECTED} "`,
  `\u2028${INJECTED}`,
  ...[
    '\u0000',
    '\u001b[2J',
    '\u202e',
    '\ud800',
    '\\',
    '"',
    "'",
    '#',
    ';',
    '{',
    '}',
    ' ',
    ',',
    '$(id)',
    '/33',
    '%lo',
    '/..',
  ],
];

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
const extreme = ['A'.repeat(70_000), nested(200), JSON.parse('{"__proto__":{"polluted":true}}'), { toString: 1 }, -0];

/** One change of a body. `where` and `what`: which of its parts, counted round and round. */
export interface Mutation {
  readonly kind: 'replace' | 'append' | 'delete' | 'repeat' | 'unknown' | 'transplant';
  readonly where: number;
  readonly what: number;
  readonly by: unknown;
}

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('replace', 'append', 'delete', 'repeat', 'unknown', 'transplant'),
    where: fc.nat({ max: 1_000_000 }),
    what: fc.nat({ max: 1_000_000 }),
    by: fc.oneof({ weight: 9, arbitrary: odd }, { weight: 1, arbitrary: fc.constantFrom<unknown>(...extreme) }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** A copy of a JSON value with these changes. */
export function mutated(original: unknown, all: readonly Mutation[]): unknown {
  return all.reduce(mutate, original);
}

function mutate(value: unknown, { kind, where, what, by }: Mutation): unknown {
  const all = places(value);
  const path = all[where % all.length] ?? [];
  const found = at(value, path);
  switch (kind) {
    case 'replace':
      return replaced(value, path, by);
    case 'append':
      return replaced(value, path, `${typeof found === 'object' ? '' : String(found)}${tails[what % tails.length]}`);
    case 'transplant':
      return replaced(value, path, at(value, all[what % all.length] ?? []));
    case 'delete':
      return replaced(value, path, undefined);
    case 'repeat':
      return Array.isArray(found) ? replaced(value, path, Array.from({ length: 3 }, () => found).flat()) : value;
    case 'unknown':
      return typeof found === 'object' && !Array.isArray(found)
        ? replaced(value, path, { ...found, [`x${what}`]: by })
        : value;
  }
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((inner, key) => (inner as Readonly<Record<string, unknown>>)[key], value);
}
