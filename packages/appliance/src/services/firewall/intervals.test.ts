import { contains } from '@astara/model/ip.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intervalOf, intervalText, partition, union, versionOf } from './intervals.ts';

const octet = fc.integer({ min: 0, max: 255 });
const prefix4 = fc
  .tuple(octet, octet, fc.integer({ min: 0, max: 32 }))
  .map(([a, b, length]) => `10.${a % 2}.${b % 4}.${b}/${length}`);
const prefix6 = fc
  .tuple(octet, fc.integer({ min: 0, max: 128 }))
  .map(([a, length]) => `fd00:${(a % 2).toString(16)}::${a.toString(16)}/${length}`);
const prefixes = fc.oneof(fc.array(prefix4, { maxLength: 8 }), fc.array(prefix6, { maxLength: 8 }));
/** Near the edges of the prefixes, where mistakes are. */
const address = fc.oneof(
  fc.tuple(octet, octet).map(([a, b]) => `10.${a % 3}.${b % 5}.${b}`),
  octet.map((a) => `fd00:${(a % 3).toString(16)}::${a.toString(16)}`),
);

describe('intervals', () => {
  it('of a union hold what any of the prefixes holds, apart from each other', () => {
    fc.assert(
      fc.property(prefixes, address, (cidrs, text) => {
        const merged = union(cidrs.map(intervalOf));
        const { first } = intervalOf(text);
        const same = cidrs.length === 0 || versionOf(cidrs[0] ?? '') === versionOf(text);
        const inside = same && merged.some((interval) => interval.first <= first && first <= interval.last);
        expect(inside).toBe(cidrs.some((cidr) => contains(cidr, text)));
        for (const [index, { first }] of merged.entries()) {
          const before = merged[index - 1];
          if (before !== undefined) expect(first > before.last + 1n).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('of a partition know all prefixes that hold them', () => {
    fc.assert(
      fc.property(prefixes, address, (cidrs, text) => {
        const parts = partition(cidrs.map((owner) => ({ ...intervalOf(owner), owner })));
        const { first } = intervalOf(text);
        if (cidrs.length > 0 && versionOf(cidrs[0] ?? '') !== versionOf(text)) return;
        const found = parts.filter((part) => part.first <= first && first <= part.last);
        expect(found.length).toBeLessThanOrEqual(1);
        const owners = new Set(cidrs.filter((cidr) => contains(cidr, text)));
        expect(new Set(found[0]?.owners ?? [])).toEqual(owners);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['10.0.0.5/24', '10.0.0.0/24'],
    ['10.0.0.5/32', '10.0.0.5'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd00::5/64', 'fd00::/64'],
    ['::/0', '::/0'],
    ['fd00::5/128', 'fd00::5'],
  ])('%s is written %s', (cidr, text) => {
    expect(intervalText(intervalOf(cidr), versionOf(cidr))).toBe(text);
  });

  it('that are no prefix are written as ranges', () => {
    const [merged] = union(['10.0.0.1/32', '10.0.0.2/31'].map(intervalOf));
    expect(merged === undefined ? '' : intervalText(merged, 4)).toBe('10.0.0.1-10.0.0.3');
  });
});
