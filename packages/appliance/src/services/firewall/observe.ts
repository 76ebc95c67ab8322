import type { Netns, NftJson } from '@astara/kernel/contract.ts';
import { canonicalIp } from '@astara/model/ip.ts';
import { baseChains, FLOWTABLE, offloadChain, offloadRules } from './chains.ts';
import { protocolNumber } from './protocols.ts';
import { keyOf, SHAPE } from './render.ts';
import {
  type Book,
  type Chain,
  counterTypes,
  type FirewallState,
  limitTypes,
  mapTypes,
  noElements,
  openFirewall,
  type SetName,
  setNames,
  setTypes,
} from './state.ts';

/** What the kernel has. A table that is not of this release, or whose own chains were tampered with, counts as none. */
export async function observeFirewall(netns: Netns): Promise<FirewallState> {
  const listing = await netns.nftList('table inet astara');
  return listing === undefined ? openFirewall : readTable(listing);
}

type Json = Readonly<Record<string, unknown>>;

/** `nft -j list table`, as a state. */
export function readTable({ nftables }: NftJson): FirewallState {
  const elements: Record<SetName, ReadonlyMap<string, string>> = { ...noElements };
  const chains = new Map<string, string[]>();
  const hooks = new Map<string, Json>();
  const books = new Map<string, Book>();
  const counters = new Set<string>();
  let offload: readonly string[] = [];
  let shape = false;
  for (const object of nftables) {
    const { rule, chain, counter, flowtable } = object;
    const set = object.set ?? object.map;
    if (isRecord(chain)) {
      chains.set(String(chain.name), []);
      hooks.set(String(chain.name), chain);
    } else if (isRecord(rule)) chains.get(String(rule.chain))?.push(String(rule.comment ?? ''));
    else if (isRecord(counter)) counters.add(String(counter.name));
    else if (isRecord(flowtable)) offload = devicesOf(flowtable);
    else if (isRecord(set)) {
      const name = String(set.name);
      if (name === SHAPE) shape = true;
      else if (isSetName(name)) {
        const found = readElements(set.elem, partsOf[name]);
        if (found === undefined) return openFirewall;
        elements[name] = found;
      } else if (!Object.hasOwn(counterTypes, name)) {
        const type = set.type === 'ipv4_addr' ? 'ipv4_addr' : 'ipv6_addr';
        books.set(name, { type, elements: readElements(set.elem, addressParts) ?? new Map() });
      }
    }
  }
  if (!shape || !ownChains(chains, hooks)) return openFirewall;
  const flowing = sameList(chains.get(offloadChain) ?? [], offload.length === 0 ? [] : offloadRules.map(keyOf));
  if (!flowing) return openFirewall;
  return {
    table: true,
    elements,
    chains: tenantChains(chains),
    books,
    counters,
    offload,
    policies: undefined,
    labels: new Map(),
  };
}

/** Whether the chains that never change are as they were made. */
function ownChains(found: ReadonlyMap<string, readonly string[]>, hooks: ReadonlyMap<string, Json>): boolean {
  return baseChains.every(({ name, hook, rules }) => {
    const chain = hooks.get(name);
    if (chain === undefined || !sameList(found.get(name) ?? [], rules.map(keyOf))) return false;
    if (hook === undefined) return chain.hook === undefined;
    const { type, hook: where, prio, policy } = chain;
    return type === hook.type && where === hook.hook && prio === hook.priority && policy === hook.policy;
  });
}

const own: ReadonlySet<string> = new Set([...baseChains.map(({ name }) => name), offloadChain]);

function tenantChains(found: ReadonlyMap<string, readonly string[]>): Map<string, Chain> {
  const tenants = [...found].filter(([name]) => !own.has(name));
  return new Map(tenants.map(([name, keys]) => [name, { keys, rules: undefined }]));
}

function devicesOf({ name, dev }: Json): readonly string[] {
  if (name !== FLOWTABLE) return [];
  return (Array.isArray(dev) ? dev : [dev]).map(String).sort();
}

function isSetName(name: string): name is SetName {
  return setNames.some((candidate) => candidate === name);
}

/** What the parts of an element are: protocols and addresses are not always listed as they were given. */
type PartReader = (value: string | number) => string;

const readers: Readonly<Record<string, PartReader>> = {
  ipv6_addr: (value) => canonicalIp(String(value)),
  inet_proto: (value) => String(protocolNumber(value)),
};
const asIs: PartReader = (value) => String(value);
const addressParts: readonly PartReader[] = [
  (value) => (String(value).includes(':') ? canonicalIp(String(value)) : String(value)),
];

const partsOf = Object.fromEntries(
  Object.entries({ ...setTypes, ...limitTypes, ...mapTypes }).map(([name, type]) => {
    const key = type.split(';')[0]?.split(' : ')[0] ?? '';
    return [name, key.split(' . ').map((part) => readers[part] ?? asIs)];
  }),
) as unknown as Readonly<Record<SetName, readonly PartReader[]>>;

/** Undefined when there is something that we never make. */
function readElements(listed: unknown, readers: readonly PartReader[]): Map<string, string> | undefined {
  const result = new Map<string, string>();
  if (listed === undefined) return result;
  if (!Array.isArray(listed)) return undefined;
  for (const element of listed) {
    const [left, right] = Array.isArray(element) ? element : [element, undefined];
    const { val = left, limit } = isRecord(left) && isRecord(left.elem) ? left.elem : { val: left, limit: undefined };
    const key = keyText(val, readers);
    const value = limit === undefined ? valueText(right) : limitText(limit);
    if (key === undefined || value === undefined) return undefined;
    result.set(key, value);
  }
  return result;
}

function keyText(value: unknown, readers: readonly PartReader[]): string | undefined {
  const parts = isRecord(value) && Array.isArray(value.concat) ? value.concat : [value];
  const texts = parts.map((part, index) => partText(part, readers[index] ?? asIs));
  return texts.includes(undefined) ? undefined : texts.join(' . ');
}

function partText(value: unknown, read: PartReader): string | undefined {
  if (typeof value === 'string' || typeof value === 'number') return read(value);
  if (!isRecord(value)) return undefined;
  const { prefix, range } = value;
  if (isRecord(prefix)) return `${read(String(prefix.addr))}/${String(prefix.len)}`;
  if (Array.isArray(range)) return range.map((end: string | number) => read(end)).join('-');
  return undefined;
}

function valueText(value: unknown): string | undefined {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return undefined;
  if (Array.isArray(value.concat)) return value.concat.map(String).join(' . ');
  const { jump } = value;
  return isRecord(jump) ? `jump ${String(jump.target)}` : undefined;
}

const units: Readonly<Record<string, number>> = { bytes: 1, kbytes: 1024, mbytes: 1024 * 1024 };

/** `bytes per second/bytes of burst`. */
function limitText(limit: unknown): string | undefined {
  if (!isRecord(limit)) return undefined;
  const { rate, rate_unit, burst, burst_unit, per, inv } = limit;
  const rateUnit = units[String(rate_unit)];
  const burstUnit = units[String(burst_unit ?? 'bytes')];
  if (per !== 'second' || inv !== true || rateUnit === undefined || burstUnit === undefined) return undefined;
  return `${Number(rate) * rateUnit}/${Number(burst) * burstUnit}`;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
