import { networkOf, parseCidr } from '@astara/model/ip.ts';

/** Longest-prefix match over few prefixes and many look-ups. */
export class PrefixTable<T> {
  /** `version/length`, longest first. */
  readonly #lengths = new Set<string>();
  readonly #entries = new Map<string, T>();

  /** The first entry of a prefix stays. */
  add(cidr: string, value: T): void {
    const parsed = parseCidr(cidr);
    if (parsed === undefined) return;
    this.#lengths.add(`${parsed.version}/${parsed.prefix}`);
    const key = networkOf(cidr);
    if (!this.#entries.has(key)) this.#entries.set(key, value);
  }

  has(cidr: string): boolean {
    return this.#entries.has(networkOf(cidr));
  }

  find(address: string): T | undefined {
    const version = address.includes(':') ? '6/' : '4/';
    const lengths = [...this.#lengths]
      .filter((length) => length.startsWith(version))
      .map((length) => Number(length.slice(2)))
      .sort((a, b) => b - a);
    for (const length of lengths) {
      const found = this.#entries.get(networkOf(`${address}/${length}`));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
