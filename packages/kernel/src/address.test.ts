import { canonicalIp } from '@astara/model/ip.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ipBytes, ipText, isMadeByKernel, macBytes, macText } from './address.ts';

/** Many zero groups, so that the shortening is exercised. */
const sixteen = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Buffer.from(groups.flatMap((group) => [group >> 8, group & 255])));

test('bytes → text → bytes, and the text is the canonical one', () => {
  const any = fc.oneof(
    sixteen,
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(any, (bytes) => {
      const text = ipText(bytes);
      expect(text).toBe(canonicalIp(text));
      expect(ipBytes(text)).toEqual(bytes);
    }),
  );
});

test('other spellings', () => {
  expect(ipText(ipBytes('2001:DB8:0:0:0::1'))).toBe('2001:db8::1');
  expect(ipText(ipBytes('::ffff:192.0.2.1'))).toBe('::ffff:c000:201');
  expect(ipText(ipBytes('::'))).toBe('::');
  expect(macText(macBytes('FA:16:3E:00:00:01'))).toBe('fa:16:3e:00:00:01');
});

test('which addresses the kernel makes by itself', () => {
  expect(isMadeByKernel('fe80::f816:3eff:fe00:1', 'qr-1', 'fa:16:3e:00:00:01')).toBe(true);
  expect(isMadeByKernel('fe80::f816:3eff:fe00:1', 'qr-1', 'fa:16:3e:00:00:02')).toBe(false);
  expect(isMadeByKernel('127.0.0.1', 'lo', '00:00:00:00:00:00')).toBe(true);
  expect(isMadeByKernel('127.0.0.1', 'qr-1', undefined)).toBe(false);
});
