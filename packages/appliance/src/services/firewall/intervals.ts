import { canonicalIp, parseCidr } from '@astara/model/ip.ts';

/** Prefixes as ranges of numbers: nft takes no two elements of an interval set that overlap. */
export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

export type Version = 4 | 6;

export function versionOf(text: string): Version {
  return text.includes(':') ? 6 : 4;
}

export function intervalOf(cidr: string): Interval {
  const { address, prefix, version } = parseCidr(cidr) ?? {
    address: cidr,
    prefix: undefined,
    version: versionOf(cidr),
  };
  const bits = version === 4 ? 32 : 128;
  const hosts = BigInt(bits - (prefix ?? bits));
  const first = (toNumber(address) >> hosts) << hosts;
  return { first, last: first + (1n << hosts) - 1n };
}

/** The same addresses in as few intervals as possible, in order. */
export function union(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const result: Interval[] = [];
  for (const { first, last } of sorted) {
    const previous = result.at(-1);
    if (previous === undefined || first > previous.last + 1n) result.push({ first, last });
    else if (last > previous.last) result[result.length - 1] = { first: previous.first, last };
  }
  return result;
}

/** The elements of an interval set that holds these prefixes. */
export function prefixSetOf(cidrs: readonly string[], version: Version): Map<string, string> {
  return new Map(union(cidrs.map(intervalOf)).map((interval) => [intervalText(interval, version), '']));
}

export interface Owned<T> extends Interval {
  readonly owners: readonly T[];
}

/** Cuts overlapping intervals at each other's ends: the parts do not overlap, and each knows all whose it is. */
export function partition<T>(intervals: readonly (Interval & { readonly owner: T })[]): Owned<T>[] {
  const cuts = new Set<bigint>();
  const starting = new Map<bigint, T[]>();
  const ending = new Map<bigint, T[]>();
  for (const { first, last, owner } of intervals) {
    cuts.add(first).add(last + 1n);
    append(starting, first, owner);
    append(ending, last + 1n, owner);
  }
  const sorted = [...cuts].sort((a, b) => (a < b ? -1 : 1));
  const open = new Map<T, number>();
  const result: Owned<T>[] = [];
  sorted.forEach((cut, index) => {
    for (const owner of ending.get(cut) ?? []) {
      const left = (open.get(owner) ?? 0) - 1;
      if (left === 0) open.delete(owner);
      else open.set(owner, left);
    }
    for (const owner of starting.get(cut) ?? []) open.set(owner, (open.get(owner) ?? 0) + 1);
    const next = sorted[index + 1];
    if (next !== undefined && open.size > 0) result.push({ first: cut, last: next - 1n, owners: [...open.keys()] });
  });
  return result;
}

function append<T>(lists: Map<bigint, T[]>, key: bigint, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** As nft lists it: an address, a prefix where there is one, or a range. */
export function intervalText({ first, last }: Interval, version: Version): string {
  if (first === last) return toText(first, version);
  const size = last - first + 1n;
  const bits = size.toString(2).length - 1;
  if (size === 1n << BigInt(bits) && first % size === 0n) {
    return `${toText(first, version)}/${(version === 4 ? 32 : 128) - bits}`;
  }
  return `${toText(first, version)}-${toText(last, version)}`;
}

function toNumber(address: string): bigint {
  if (!address.includes(':')) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail = ''] = canonicalIp(address).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}

function toText(number: bigint, version: Version): string {
  const parts: string[] = [];
  for (let left = number, part = 0; part < (version === 4 ? 4 : 8); part++) {
    parts.unshift(version === 4 ? (left & 255n).toString() : (left & 65535n).toString(16));
    left >>= version === 4 ? 8n : 16n;
  }
  return version === 4 ? parts.join('.') : canonicalIp(parts.join(':'));
}
