import type { InterfaceCounters, StatsAnswer } from '@astara/model/appliance/api/stats.ts';
import type { Home } from '../../home.ts';

/** Counters of the interfaces, as `ip -s -j link` (ip-link(8)) has them. Without `lo`. */
export async function interfaceCounters(home: Home): Promise<InterfaceCounters[]> {
  const links = JSON.parse(await home.run(['ip', '-s', '-j', 'link', 'show'])) as LinkStatistics[];
  return links
    .filter(({ ifname }) => ifname !== 'lo')
    .map(({ ifname, stats64: { rx, tx } }) => ({
      ifname,
      rx_bytes: rx.bytes,
      rx_packets: rx.packets,
      rx_errors: rx.errors,
      rx_dropped: rx.dropped,
      tx_bytes: tx.bytes,
      tx_packets: tx.packets,
      tx_errors: tx.errors,
      tx_dropped: tx.dropped,
    }));
}

/** How many connections are tracked, and how many may be; null where the kernel does not track. */
export async function conntrack({ netns }: Home): Promise<StatsAnswer['conntrack']> {
  const values = await netns.readSysctl([COUNT, MAX]);
  const count = Number(values[COUNT] ?? Number.NaN);
  const max = Number(values[MAX] ?? Number.NaN);
  return Number.isNaN(count) || Number.isNaN(max) ? null : { count, max };
}

const COUNT = 'net/netfilter/nf_conntrack_count';
const MAX = 'net/netfilter/nf_conntrack_max';

interface LinkStatistics {
  readonly ifname: string;
  readonly stats64: { readonly rx: Direction; readonly tx: Direction };
}

interface Direction {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly dropped: number;
}
