import { type Netns, ROUTE_PROTOCOL, type RouteTarget } from '@astara/kernel/contract.ts';
import { networkOf } from '@astara/model/ip.ts';
import { type AddressState, addressKey, type InterfaceState, type LinkState } from './state.ts';

/**
 * Reads back what is there. Of link-local addresses only those in `known` (keys) count as ours: the kernel makes the others.
 * Kernel switches are not read, so that they are written again.
 */
export async function observeLinks(netns: Netns, known: ReadonlySet<string>): Promise<LinkState> {
  const [links, found, entries] = await Promise.all([netns.links(), netns.addresses(), netns.routes()]);
  const interfaces = new Map<string, InterfaceState>();
  for (const link of links) {
    if (link.ifname !== 'lo') interfaces.set(link.ifname, { up: link.up, mtu: link.mtu, mac: link.mac.toLowerCase() });
  }
  const addresses = new Map<string, AddressState>();
  for (const { ifname, cidr, permanent, scope } of found) {
    if (ifname === 'lo') continue;
    const key = addressKey(ifname, cidr);
    if (known.has(key) || (permanent && scope !== 'link')) addresses.set(key, { ifname, cidr });
  }
  const routes = new Map<string, RouteTarget>();
  for (const entry of entries) {
    if (entry.protocol !== ROUTE_PROTOCOL) continue;
    const destination = networkOf(entry.destination);
    routes.set(destination, {
      destination,
      ...(entry.via === undefined ? {} : { via: entry.via }),
      ...(entry.ifname === undefined ? {} : { ifname: entry.ifname }),
    });
  }
  return Object.freeze({ interfaces, addresses, routes, sysctls: Object.freeze({}) });
}
