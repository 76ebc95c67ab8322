import { canonicalIp } from '@astara/model/ip.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eui64, hostsOf, rangeOf, toAddress, toNumber } from './address.ts';

test('an address is a number and the other way round', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      expect(toAddress(toNumber(address), address.includes(':') ? 6 : 4)).toBe(canonicalIp(address));
    }),
  );
});

test('hosts of a prefix', () => {
  const hosts = (cidr: string) => {
    const { first, last } = hostsOf(cidr);
    return [first, last].map((number) => toAddress(number, cidr.includes(':') ? 6 : 4));
  };
  expect(hosts('10.0.0.0/24')).toEqual(['10.0.0.1', '10.0.0.254']);
  expect(hosts('10.0.0.0/31')).toEqual(['10.0.0.0', '10.0.0.1']);
  expect(hosts('10.0.0.7/32')).toEqual(['10.0.0.7', '10.0.0.7']);
  expect(hosts('fd00::/64')).toEqual(['fd00::1', 'fd00::ffff:ffff:ffff:ffff']);
  expect(toAddress(rangeOf('10.1.2.3/8').first, 4)).toBe('10.0.0.0');
});

test('EUI-64, as the real Neutron gave it', () => {
  expect(eui64('fd11::/64', 'fa:16:3e:9a:a8:b6')).toBe('fd11::f816:3eff:fe9a:a8b6');
});
