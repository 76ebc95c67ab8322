import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, type ViciReply } from './vici-message.ts';

const key = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => Buffer.byteLength(text) <= 255);
const text = fc.string({ maxLength: 200, unit: 'grapheme' });
const { message } = fc.letrec<{ message: ViciReply }>((tie) => ({
  message: fc.dictionary(
    key,
    fc.oneof({ depthSize: 'small' }, text, fc.array(text, { maxLength: 5 }), tie('message')),
    {
      maxKeys: 6,
      noNullPrototype: false,
    },
  ),
}));

describe('a vici message', () => {
  it('is the same after a round trip, whatever is in it', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeMessage(encodeMessage(value))).toEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has the bytes of the example in the documentation', () => {
    const value = { key1: 'value1', section1: { 'sub-section': { key2: 'value2' }, list1: ['item1', 'item2'] } };
    const expected = Buffer.concat([
      Buffer.from('\x03\x04key1\0\x06value1\x01\x08section1\x01\x0bsub-section\x03\x04key2\0\x06value2\x02'),
      Buffer.from('\x04\x05list1\x05\0\x05item1\x05\0\x05item2\x06\x02'),
    ]);
    expect(encodeMessage(value)).toEqual(expected);
  });

  it('carries bytes as they are, and leaves out what is undefined', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(encodeMessage({ data: bytes, none: undefined })).toEqual(
      Buffer.concat([Buffer.from('\x03\x04data'), Buffer.of(1, 0), bytes]),
    );
  });

  it('is refused when its length fields cannot say how long it is, without its value in the error', () => {
    expect(() => encodeMessage({ data: 's3cret'.repeat(20_000) })).toThrow(/^vici: data has 120000 bytes$/);
    expect(() => encodeMessage({ [`k${'x'.repeat(255)}`]: '' })).toThrow(RangeError);
    expect(() => encodeMessage({ '': '' })).toThrow(RangeError);
  });

  it('is either decoded or refused with a SyntaxError, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(message, fc.nat(), fc.nat(255)).map(([value, place, byte]) => {
        const encoded = Buffer.from(encodeMessage(value));
        if (encoded.length > 0) encoded[place % encoded.length] = byte;
        return encoded;
      }),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          decodeMessage(input);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('cannot reach a prototype', () => {
    const decoded = decodeMessage(Buffer.from('\x01\x09__proto__\x03\x08polluted\0\x03yes\x02'));
    expect(Object.keys(decoded)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
