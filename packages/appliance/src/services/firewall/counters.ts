import type { Netns } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Home } from '../../home.ts';
import { desiredLabels } from './labels.ts';
import { isRecord } from './observe.ts';

export interface Counter {
  readonly packets: number;
  /** Of layer 3. */
  readonly bytes: number;
}

export interface LabelCounters {
  readonly name: string;
  /** From the label's prefixes to our networks, and the other way. */
  readonly in: Counter;
  readonly out: Counter;
}

export interface AddressCounters {
  readonly received: Counter;
  readonly sent: Counter;
}

const zero: Counter = Object.freeze({ packets: 0, bytes: 0 });

/**
 * The counters of all labels, each once, in the configuration's order. With `reset` they start at zero again; the kernel reads and
 * resets each at once, so that no packet is lost between.
 */
export async function readLabelCounters(home: Home, config: ApplianceConfig, reset: boolean): Promise<LabelCounters[]> {
  const { labels } = desiredLabels(config);
  const sums = new Map(Object.keys(config.labels ?? {}).map((name) => [name, { in: zero, out: zero }]));
  if (labels.size > 0) {
    // The library's call lists only.
    const text = await home.run(['nft', '-j', reset ? 'reset' : 'list', 'counters', 'table', 'inet', 'astara']);
    const parsed: unknown = JSON.parse(text);
    const listed = isRecord(parsed) && Array.isArray(parsed.nftables) ? parsed.nftables : [];
    for (const object of listed) {
      const counter: unknown = isRecord(object) ? object.counter : undefined;
      if (!isRecord(counter)) continue;
      const key = String(counter.name);
      const direction = key.endsWith('_in') ? 'in' : 'out';
      for (const label of labels.get(key) ?? []) {
        const sum = sums.get(label);
        if (sum !== undefined) sum[direction] = plus(sum[direction], counterOf(counter));
      }
    }
  }
  return [...sums].map(([name, sum]) => ({ name, ...sum }));
}

export async function readAddressCounters(netns: Netns): Promise<ReadonlyMap<string, AddressCounters>> {
  const [received, sent] = await Promise.all([elements(netns, 'fip_received'), elements(netns, 'fip_sent')]);
  const result = new Map<string, AddressCounters>();
  for (const address of new Set([...received.keys(), ...sent.keys()])) {
    result.set(address, { received: received.get(address) ?? zero, sent: sent.get(address) ?? zero });
  }
  return result;
}

async function elements(netns: Netns, name: string): Promise<Map<string, Counter>> {
  const found = new Map<string, Counter>();
  const listing = await netns.nftList(`set inet astara ${name}`);
  for (const { set } of listing?.nftables ?? []) {
    if (!isRecord(set) || !Array.isArray(set.elem)) continue;
    for (const entry of set.elem) {
      const element: unknown = isRecord(entry) ? entry.elem : undefined;
      if (isRecord(element) && isRecord(element.counter)) found.set(String(element.val), counterOf(element.counter));
    }
  }
  return found;
}

function counterOf({ packets, bytes }: Readonly<Record<string, unknown>>): Counter {
  return { packets: Number(packets), bytes: Number(bytes) };
}

function plus(a: Counter, b: Counter): Counter {
  return { packets: a.packets + b.packets, bytes: a.bytes + b.bytes };
}
