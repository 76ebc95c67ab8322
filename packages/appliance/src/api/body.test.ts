import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEPTH_LIMIT, parseBody } from './body.ts';

const parse = (text: string) => parseBody(Buffer.from(text));
const refusal = (text: string | Buffer) => {
  try {
    parseBody(Buffer.from(text as string));
  } catch (error) {
    return error as { code: string; status: number; message: string; field?: string };
  }
  throw new Error('was taken');
};

describe('a body', () => {
  it('is what JSON.parse says, for every JSON value', () => {
    const values = fc.jsonValue({ maxDepth: 10 }).filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(values, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('has no key twice, however it is spelled, and the place is named', () => {
    expect(refusal('{"a":1,"a":2}')).toMatchObject({ code: 'APPLIANCE_BODY_REFUSED', status: 400, field: '/a' });
    expect(refusal('{"a":1,"\\u0061":2}').field).toBe('/a');
    expect(refusal('{"x":[{},{"a/b":{"k":1,"j":[1,2],"k" : 2}}]}').field).toBe('/x/1/a~1b/k');
    expect(parse('{"a":{"a":":,{\\"a\\":1"},"b":["a","a"]}')).toEqual({ a: { a: ':,{"a":1' }, b: ['a', 'a'] });
  });

  it('cannot reach a prototype', () => {
    expect(refusal('{"networks":[{"__proto__":{"admin":true}}]}').message).toContain('__proto__');
    expect(refusal('{"\\u005f_proto__":1}').message).toContain('__proto__');
  });

  it('is refused when it is nested too deep, without being read', () => {
    const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(parse(deep(DEPTH_LIMIT))).toBeInstanceOf(Array);
    expect(refusal(deep(DEPTH_LIMIT + 1)).message).toContain('nested deeper');
    expect(refusal('['.repeat(1_000_000)).message).toContain('nested deeper');
    expect(refusal('{"a":'.repeat(1_000_000)).message).toContain('nested deeper');
    expect(parse(`{"a":"${'['.repeat(1000)}"}`)).toEqual({ a: '['.repeat(1000) });
  });

  it('is UTF-8 and JSON; what is wrong is placed but not quoted', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22])).message).toContain('UTF-8');
    const { message } = refusal('{"psk":"secret" oops}');
    expect(message).toMatch(/not JSON at position \d+/);
    expect(message).not.toContain('secret');
    for (const text of ['', '{', '"', '"\\', '{"a"}', '\ufeff{}', 'NaN', '[1,]', '{"a":1}}', "{'a':1}"]) {
      expect(refusal(text).message, text).toContain('not JSON');
    }
  });
});
