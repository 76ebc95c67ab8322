import Type from 'typebox';
import { describe, expect, it } from 'vitest';
import { CidrText, Ipv4 } from './scalars.ts';
import { validator } from './validate.ts';

const closed = { additionalProperties: false } as const;
const validate = validator(
  Type.Object(
    {
      name: Type.String({ pattern: '^[a-z]+$', maxLength: 5 }),
      kind: Type.Optional(Type.Enum(['a', 'b'])),
      prefixes: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z]$' }), Type.Array(CidrText), closed)),
      gateway: Type.Optional(Type.Union([Ipv4, Type.Null()])),
      probe: Type.Optional(
        Type.Union([
          Type.Object({ type: Type.Literal('ping'), address: Type.String() }, closed),
          Type.Object({ type: Type.Literal('tcp'), address: Type.String(), port: Type.Integer() }, closed),
        ]),
      ),
    },
    closed,
  ),
);

function told(input: unknown): Record<string, string> {
  const result = validate(input);
  return result.ok ? {} : Object.fromEntries(result.errors.map(({ field, message }) => [field, message]));
}

describe('what is wrong with a value', () => {
  it('is said of each field, also of those that are missing or unknown', () => {
    expect(told({ name: 'ok' })).toEqual({});
    expect(told({ colour: 1, kind: 'c' })).toEqual({
      '/name': 'is missing',
      '/colour': 'is not known here',
      '/kind': 'must be one of a, b',
    });
    expect(told('text')).toEqual({ '/': 'must be object' });
    expect(told({ name: 'ok', prefixes: { x: ['10.0.0.1'], 'bad\nname': [] } })).toEqual({
      '/prefixes/x/0': 'must be address/prefix',
      '/prefixes/bad\nname': 'is not known here',
    });
  });

  it('is said of the alternative that it is', () => {
    expect(told({ name: 'ok', gateway: 7 })).toEqual({ '/gateway': 'must be string, or must be null' });
    expect(told({ name: 'ok', probe: { type: 'ping', address: 'x', port: 1 } })).toEqual({
      '/probe/port': 'is not known here',
    });
    expect(told({ name: 'ok', probe: { type: 'tcp', address: 'x' } })).toEqual({ '/probe/port': 'is missing' });
    expect(told({ name: 'ok', probe: { type: 'x' } })).toMatchObject({ '/probe/type': 'must be ping, or must be tcp' });
  });

  it('is all said, up to a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x${index}`, 1]));
    expect(Object.keys(told({ name: 'ok', ...many }))).toHaveLength(60);
    const more = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]));
    expect(Object.keys(told({ name: 'ok', ...more })).length).toBeLessThanOrEqual(100);
  });
});
