import type { Netns } from '@astara/kernel/contract.ts';
import { RULES, SHAPE } from './render.ts';
import { type FirewallState, noElements, openFirewall, type SetName, setNames } from './state.ts';

/** What the kernel has. A table that is not of this release, or was tampered with, counts as none. */
export async function observeFirewall(netns: Netns): Promise<FirewallState> {
  const listing = await netns.nftList('table inet astara');
  if (listing === undefined) return openFirewall;
  const elements: Record<SetName, ReadonlyMap<string, string>> = { ...noElements };
  let shape = false;
  let rules = 0;
  for (const object of listing.nftables) {
    if ('rule' in object) rules += 1;
    const set = object.set ?? object.map;
    if (!isRecord(set)) continue;
    const name = set.name;
    if (name === SHAPE) shape = true;
    const known = setNames.find((candidate) => candidate === name);
    if (known === undefined) continue;
    const found = entries(set.elem ?? []);
    if (found === undefined) return openFirewall;
    elements[known] = found;
  }
  return shape && rules === RULES ? { table: true, elements } : openFirewall;
}

/** Undefined when there is something that we never make. */
function entries(elements: unknown): Map<string, string> | undefined {
  if (!Array.isArray(elements)) return undefined;
  const result = new Map<string, string>();
  for (const element of elements) {
    const [key, value] = Array.isArray(element) ? [text(element[0]), text(element[1])] : [text(element), ''];
    if (key === undefined || value === undefined) return undefined;
    result.set(key, value);
  }
  return result;
}

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const prefix = isRecord(value) ? value.prefix : undefined;
  return isRecord(prefix) ? `${String(prefix.addr)}/${String(prefix.len)}` : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
