import { ipVersion, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { Route } from '../network.ts';
import { checkAddress, type Fail } from './fail.ts';

/** The ways out, and the tenant's own. */
export function checkWays(config: ApplianceConfig, fail: Fail): void {
  checkRoutes(config.static_routes ?? [], '/static_routes', undefined, fail);
  for (const name of ['default_v4_gateway', 'default_v6_gateway'] as const) {
    const version = name === 'default_v4_gateway' ? 4 : 6;
    const gateway = config[name];
    if (gateway !== undefined && gateway !== null && ipVersion(gateway) !== version) {
      fail(`/${name}`, `must be an IPv${version} address`);
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
