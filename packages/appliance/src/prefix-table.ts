import { networkOf, parseCidr } from '@astara/model/ip.ts';

/** Longest-prefix match over few prefixes and many look-ups. */
export class PrefixTable<T> {
  /** Longest first. */
  readonly #v4: Level<number, T>[] = [];
  readonly #v6: Level<string, T>[] = [];

  /** The first entry of a prefix stays. */
  add(cidr: string, value: T): void {
    const parsed = parseCidr(cidr);
    if (parsed === undefined) return;
    const { address, prefix, version } = parsed;
    if (version === 4) put(this.#v4, prefix, masked(numberOf(address), prefix), value);
    else put(this.#v6, prefix, networkOf(cidr), value);
  }

  /** Whether exactly this prefix was added. */
  has(cidr: string): boolean {
    const parsed = parseCidr(cidr);
    if (parsed === undefined) return false;
    const { address, prefix, version } = parsed;
    return version === 4
      ? holds(this.#v4, prefix, masked(numberOf(address), prefix))
      : holds(this.#v6, prefix, networkOf(cidr));
  }

  find(address: string): T | undefined {
    return this.match(address)?.value;
  }

  /** The same, with the length of the prefix. */
  match(address: string): Match<T> | undefined {
    if (address.includes(':')) {
      for (const { prefix, entries } of this.#v6) {
        const value = entries.get(networkOf(`${address}/${prefix}`));
        if (value !== undefined) return { prefix, value };
      }
      return undefined;
    }
    const number = numberOf(address);
    for (const { prefix, entries } of this.#v4) {
      const value = entries.get(masked(number, prefix));
      if (value !== undefined) return { prefix, value };
    }
    return undefined;
  }
}

export interface Match<T> {
  readonly prefix: number;
  readonly value: T;
}

/** The entries of one prefix length. */
interface Level<K, T> {
  readonly prefix: number;
  readonly entries: Map<K, T>;
}

function put<K, T>(levels: Level<K, T>[], prefix: number, key: K, value: T): void {
  let level = levels.find((candidate) => candidate.prefix === prefix);
  if (level === undefined) {
    level = { prefix, entries: new Map() };
    levels.push(level);
    levels.sort((a, b) => b.prefix - a.prefix);
  }
  if (!level.entries.has(key)) level.entries.set(key, value);
}

function holds<K, T>(levels: readonly Level<K, T>[], prefix: number, key: K): boolean {
  return levels.some((level) => level.prefix === prefix && level.entries.has(key));
}

/** Of a dotted quad. Without a split: this is asked for every floating IP. */
function numberOf(address: string): number {
  let number = 0;
  let octet = 0;
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === 46) {
      number = number * 256 + octet;
      octet = 0;
    } else octet = octet * 10 + code - 48;
  }
  return number * 256 + octet;
}

function masked(number: number, prefix: number): number {
  return prefix === 0 ? 0 : number - (number % 2 ** (32 - prefix));
}
