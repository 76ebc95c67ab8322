import { ipVersion, networkOf, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { Route } from '../network.ts';
import { checkAddress, type Fail, isUnicast } from './fail.ts';

/** So many next hops of one destination are more than any network has, and each of them makes every look-up dearer. */
const MAX_HOPS = 64;

/** The ways out, and the tenant's own. */
export function checkWays(config: ApplianceConfig, fail: Fail): void {
  checkRoutes(config.static_routes ?? [], '/static_routes', undefined, fail);
  checkHops(config.static_routes ?? [], fail);
  for (const name of ['default_v4_gateway', 'default_v6_gateway'] as const) {
    const version = name === 'default_v4_gateway' ? 4 : 6;
    const gateway = config[name];
    if (gateway !== undefined && gateway !== null && ipVersion(gateway) !== version) {
      fail(`/${name}`, `must be an IPv${version} address`);
    } else if (typeof gateway === 'string' && !isUnicast(gateway)) {
      fail(`/${name}`, `${gateway} is no address of a host`);
    }
  }
}

export function checkRoutes(routes: readonly Route[], field: string, version: 4 | 6 | undefined, fail: Fail): void {
  routes.forEach((route, index) => {
    const destination = parseCidr(route.destination);
    if (destination === undefined) fail(`${field}/${index}/destination`, 'must be address/prefix');
    else if (version !== undefined && destination.version !== version) {
      fail(`${field}/${index}/destination`, `must be IPv${version}`);
    }
    checkAddress(route.nexthop, `${field}/${index}/nexthop`, destination?.version, fail);
  });
}

function checkHops(routes: readonly Route[], fail: Fail): void {
  const counts = new Map<string, number>();
  routes.forEach(({ destination }, index) => {
    if (parseCidr(destination) === undefined) return;
    const network = networkOf(destination);
    const count = (counts.get(network) ?? 0) + 1;
    counts.set(network, count);
    if (count === MAX_HOPS + 1) fail(`/static_routes/${index}`, `${network} has more than ${MAX_HOPS} next hops`);
  });
}
