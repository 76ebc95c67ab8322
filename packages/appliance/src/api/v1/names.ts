import type { Link } from '@astara/kernel/contract.ts';

/** What is called `ge0`, `ge1`… in version 1: virtual name → real name, in order. */
export type VirtualNames = ReadonlyMap<string, string>;

const NO_ADDRESS = '00:00:00:00:00:00';

/**
 * The order of the real names (`eth2` before `eth10`), the management interface first when it is known which one that is.
 * Tunnels, `lo` and whatever else has no MAC is not a network card and has no such name.
 */
export function virtualNames(links: readonly Link[], management?: string): VirtualNames {
  const cards = links
    .filter(({ ifname, mac }) => ifname !== 'lo' && mac !== '' && mac !== NO_ADDRESS)
    .map(({ ifname }) => ifname)
    .sort((a, b) => rank(a) - rank(b) || naturally.compare(a, b));
  return new Map(cards.map((ifname, index) => [`ge${index}`, ifname]));

  function rank(ifname: string): number {
    return ifname === management ? 0 : 1;
  }
}

/** Real name → virtual name. */
export function realNames(names: VirtualNames): ReadonlyMap<string, string> {
  return new Map([...names].map(([virtual, real]) => [real, virtual]));
}

const naturally = new Intl.Collator('en', { numeric: true });
