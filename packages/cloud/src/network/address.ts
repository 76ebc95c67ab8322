import { canonicalIp, ipVersion, parseCidr } from '@astara/model/ip.ts';

/** Addresses as numbers, to count with. */

export function toNumber(address: string): bigint {
  if (ipVersion(address) === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail] = canonicalIp(address).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), tail === undefined ? [] : groups(tail)];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

export function toAddress(number: bigint, version: 4 | 6): string {
  const [size, count] = version === 4 ? [8n, 4] : [16n, 8];
  const parts = Array.from(
    { length: count },
    (_, at) => (number >> (size * BigInt(count - 1 - at))) & ((1n << size) - 1n),
  );
  if (version === 4) return parts.join('.');
  return canonicalIp(parts.map((part) => part.toString(16)).join(':'));
}

export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** All addresses of a prefix. */
export function rangeOf(cidr: string): Range {
  const { address, prefix, version } = parseCidr(cidr) ?? { address: '0.0.0.0', prefix: 32, version: 4 as const };
  const size = 1n << BigInt((version === 4 ? 32 : 128) - prefix);
  const number = toNumber(address);
  const first = number - (number % size);
  return { first, last: first + size - 1n };
}

/**
 * Those that a host may have: of IPv4 neither the network's own address nor the broadcast, of IPv6 not the subnet router's anycast.
 * Prefixes of one or two IPv4 addresses have neither.
 */
export function hostsOf(cidr: string): Range {
  const { first, last } = rangeOf(cidr);
  const version = ipVersion(cidr.slice(0, cidr.indexOf('/')));
  if (last - first < 2n) return { first, last };
  return version === 4 ? { first: first + 1n, last: last - 1n } : { first: first + 1n, last };
}

export const within = ({ first, last }: Range, number: bigint) => number >= first && number <= last;
export const overlap = (one: Range, other: Range) => one.first <= other.last && other.first <= one.last;

/** The address that a host of this MAC gives itself in a /64 (RFC 4291, appendix A). */
export function eui64(cidr: string, mac: string): string {
  const bytes = mac.split(':').map((part) => BigInt(`0x${part}`));
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = bytes;
  const host = [a ^ 2n, b, c, 0xffn, 0xfen, d, e, f].reduce((sum, byte) => sum * 256n + byte, 0n);
  return toAddress(rangeOf(cidr).first | host, 6);
}
