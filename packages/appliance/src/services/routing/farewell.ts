import type { Lasting, RaNode } from './nodes.ts';

/**
 * What hosts are told before some of it goes: everything as before, with lifetime 0 for what will not be there any more
 * (RFC 4861 §6.2.5, RFC 4862 §5.5.4), so that they prefer other addresses and routers at once and not when lifetimes of hours
 * have run out. Undefined when nothing goes.
 *
 * It must be said while the interface still has its addresses: BIRD advertises prefixes of addresses only. Of one whose address
 * has gone it speaks without the autonomous flag, and hosts do not listen.
 */
export function farewell(before: readonly RaNode[], after: readonly RaNode[]): readonly RaNode[] | undefined {
  const left = new Map<string, RaNode>(after.map((node) => [node.ifname, node]));
  let anything = false;
  const all = before.map((node) => {
    const said = networkFarewell(node, left.get(node.ifname));
    if (said !== undefined) anything = true;
    return said ?? node;
  });
  return anything ? all : undefined;
}

/** The interfaces that a farewell is for. */
export function leaving(before: readonly RaNode[], said: readonly RaNode[]): readonly string[] {
  return said.filter((node, index) => node !== before[index]).map(({ ifname }) => ifname);
}

function networkFarewell(before: RaNode, after: RaNode | undefined): RaNode | undefined {
  const stays = new Set(after?.prefixes.filter(({ autonomous }) => autonomous).map(({ prefix }) => prefix));
  const prefixes = before.prefixes.map((entry) => {
    return entry.autonomous && !stays.has(entry.prefix) ? { ...entry, valid: 0, preferred: 0 } : entry;
  });
  const nameservers = ended(before.nameservers, after?.nameservers);
  const searchDomains = ended(before.searchDomains, after?.searchDomains);
  const routerLifetime = after === undefined ? 0 : before.routerLifetime;
  const same =
    routerLifetime === before.routerLifetime &&
    prefixes.every((entry, index) => entry === before.prefixes[index]) &&
    nameservers.every((entry, index) => entry === before.nameservers[index]) &&
    searchDomains.every((entry, index) => entry === before.searchDomains[index]);
  // One second is the least that BIRD knows.
  return same ? undefined : { ...before, prefixes, nameservers, searchDomains, routerLifetime, minDelay: 1 };
}

function ended<T>(before: readonly Lasting<T>[], after: readonly Lasting<T>[] = []): readonly Lasting<T>[] {
  const stays = new Set(after.map(({ value }) => value));
  return before.map((entry) => (stays.has(entry.value) ? entry : { ...entry, lifetime: 0 }));
}
