import { contains, ipVersion } from '@astara/model/ip.ts';
import type { PortRow, RouterRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { interfaceInUseByRoute, invalidRoutes, routesExhausted } from './faults.ts';
import { subnetsOf } from './router-ports.ts';

export type Route = RouterRow['routes'][number];

/** Neutron's option max_routes. */
const maxRoutes = 30;

/** A next hop must be on a subnet of the router, and not be the router itself. */
export function checkRoutes(store: Store, router: RouterRow, routes: readonly Route[]): void {
  if (routes.length > maxRoutes) throw routesExhausted(router.id, maxRoutes);
  if (routes.length === 0) return;
  const ports = store.ports.by('device', router.id);
  const reach = ports.flatMap((port) => subnetsOf(store, port)).map((subnet) => subnet.cidr);
  checkNextHops(routes, reach, addresses(ports));
}

/** The same for the routes it has, before its gateway goes to another network, or away. */
export function checkRoutesWithout(
  store: Store,
  router: RouterRow,
  gatewaySubnets: readonly SubnetRow[],
  interfaces: readonly PortRow[],
): void {
  // Neutron asks nothing of a router that nothing is left of.
  if (router.routes.length === 0 || (interfaces.length === 0 && gatewaySubnets.length === 0)) return;
  const reach = [...interfaces.flatMap((port) => subnetsOf(store, port)), ...gatewaySubnets];
  checkNextHops(
    router.routes,
    reach.map((subnet) => subnet.cidr),
    addresses(interfaces),
  );
}

/** The subnet may not go while a route leads through it. */
export function forbidWhileRouted(router: RouterRow, subnet: SubnetRow): void {
  if (router.routes.some((route) => contains(subnet.cidr, route.nexthop))) {
    throw interfaceInUseByRoute(router.id, subnet.id);
  }
}

export function addRoutes(present: readonly Route[], added: readonly Route[]): Route[] {
  const known = new Map([...present, ...added].map((route) => [key(route), route]));
  return [...known.values()];
}

export function removeRoutes(present: readonly Route[], removed: readonly Route[]): Route[] {
  const gone = new Set(removed.map(key));
  return present.filter((route) => !gone.has(key(route)));
}

const key = (route: Route) => `${route.destination} ${route.nexthop}`;

const addresses = (ports: readonly PortRow[]) => ports.flatMap((port) => port.fixed_ips).map((ip) => ip.ip_address);

function checkNextHops(routes: readonly Route[], reach: readonly string[], own: readonly string[]): void {
  for (const { nexthop } of routes) {
    const connected = ipVersion(nexthop) !== undefined && reach.some((cidr) => contains(cidr, nexthop));
    if (!connected) throw invalidRoutes(routes, 'the nexthop is not connected with router');
    if (own.includes(nexthop)) throw invalidRoutes(routes, 'the nexthop is used by router');
  }
}
