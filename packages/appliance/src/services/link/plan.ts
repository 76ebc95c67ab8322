import type { NetOperation, RouteTarget } from '@astara/kernel/contract.ts';
import type { InterfaceState, LinkState } from './state.ts';

/**
 * What leads from one state to the other, in two halves: `build` before the firewall changes, `remove` after it, so that
 * whatever the firewall lets through can be reached, and nothing is taken away while it is still let through.
 */
export interface LinkPlan {
  readonly sysctls: Readonly<Record<string, string>>;
  readonly build: readonly NetOperation[];
  readonly remove: readonly NetOperation[];
}

export function planLinks(before: LinkState, after: LinkState): LinkPlan {
  const build: NetOperation[] = [];
  const remove: NetOperation[] = [];

  for (const [ifname, wanted] of after.interfaces) {
    const change = linkChange(before.interfaces.get(ifname), wanted);
    if (change !== undefined) build.push({ op: 'link-set', ifname, ...change });
  }
  for (const [key, { ifname, cidr }] of after.addresses) {
    if (!before.addresses.has(key)) build.push({ op: 'address-add', ifname, cidr });
  }
  let subnetLost = false;
  for (const [key, { ifname, cidr }] of before.addresses) {
    if (after.addresses.has(key)) continue;
    remove.push({ op: 'address-delete', ifname, cidr });
    if (!isHost(cidr)) subnetLost = true;
  }

  // What is left of a network that went: its interface, until the host unplugs it.
  for (const [ifname, { up }] of before.interfaces) {
    if (up && !after.interfaces.has(ifname)) remove.push({ op: 'link-set', ifname, up: false });
  }

  for (const [destination, route] of after.routes) {
    if (!sameRoute(before.routes.get(destination), route)) build.push({ op: 'route-replace', ...route });
  }
  for (const [destination, route] of before.routes) {
    if (!after.routes.has(destination)) remove.unshift({ op: 'route-delete', ...bare(route) });
  }
  // With the last address of a subnet the kernel may drop routes through it, also those that another address still serves.
  if (subnetLost) for (const route of after.routes.values()) remove.push({ op: 'route-replace', ...route });

  const changed = Object.entries(after.sysctls).filter(([key, value]) => before.sysctls[key] !== value);
  return { sysctls: Object.fromEntries(changed), build, remove };
}

function linkChange(found: InterfaceState | undefined, wanted: InterfaceState): Partial<InterfaceState> | undefined {
  const change = {
    ...(found?.up === wanted.up ? {} : { up: wanted.up }),
    ...(wanted.mtu === undefined || found?.mtu === wanted.mtu ? {} : { mtu: wanted.mtu }),
    ...(wanted.mac === undefined || found?.mac === wanted.mac ? {} : { mac: wanted.mac }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** `onlink` cannot be read back, and follows from the rest. */
function sameRoute(found: RouteTarget | undefined, wanted: RouteTarget): boolean {
  return found !== undefined && found.via === wanted.via && found.ifname === wanted.ifname;
}

function bare({ destination, via, ifname }: RouteTarget): RouteTarget {
  return { destination, ...(via === undefined ? {} : { via }), ...(ifname === undefined ? {} : { ifname }) };
}

function isHost(cidr: string): boolean {
  return cidr.endsWith(cidr.includes(':') ? '/128' : '/32');
}
