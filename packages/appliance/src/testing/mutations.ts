import fc from 'fast-check';

/** Bodies with one part replaced by something that does not belong there. */

/** Keys that lead to a part of a JSON value. */
export type Place = readonly (string | number)[];

/** Every part of a value, itself first. */
export function places(value: unknown, path: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))];
}

/** A copy with something else at this place. */
export function replaced(value: unknown, [key, ...rest]: Place, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.with(Number(key), replaced(value[Number(key)], rest, by));
  const object = value as Readonly<Record<string, unknown>>;
  return { ...object, [key]: replaced(object[key], rest, by) };
}

/** Values that are valid somewhere, nearly valid, or hostile. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, [], {}, [[]], [null], { a: { b: {} } }],
    ...[-1, 0, 0.5, 1, 255, 256, 65_536, 2 ** 32, 2 ** 53, 1e300, -0],
    ...[
      '',
      'any',
      'ge0',
      'ge99',
      'lo',
      '../etc',
      'a\nb',
      '"; drop',
      "'",
      '\\',
      '\0',
      '\u2028',
      '\ud800',
      '%s',
      '$(id)',
      '`id`',
    ],
    ...[
      '0.0.0.0',
      '0.0.0.0/0',
      '::/0',
      '255.255.255.255',
      '::1',
      'fe80::1',
      '10.0.0.0/33',
      '224.0.0.1',
      'x'.repeat(300),
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, prefix]) => `${address}/${prefix}`),
  fc.integer(),
  fc.jsonValue({ maxDepth: 3 }),
);
