import { invalidAttribute } from '../api/fault.ts';
import { boolean, dictionary, quoted, route, uuid } from '../api/parse.ts';
import { fixedIps } from '../network/fixed-ips.ts';

import type { GatewayRequest } from './gateway.ts';
import type { Route } from './routes.ts';

const gatewayKeys = ['network_id', 'enable_snat', 'external_fixed_ips'];

/** Null and `{}`: no gateway. */
export function gatewayInfo(value: unknown, name: string): GatewayRequest | null {
  if (value === null) return null;
  const given = dictionary(value, name);
  const keys = Object.keys(given);
  if (keys.length === 0) return null;
  if (given.network_id === undefined) {
    const shown = keys.map((key) => `'${key}'`).join(', ');
    const reason = `Validation of dictionary's keys failed. Expected keys: {'network_id'} Provided keys: {${shown}}`;
    throw invalidAttribute(name, reason);
  }
  const unexpected = keys.filter((key) => !gatewayKeys.includes(key));
  if (unexpected.length > 0) throw invalidAttribute(name, `Unexpected keys supplied: ${unexpected.join(', ')}`);
  return {
    network_id: uuid(given.network_id, name),
    ...(given.enable_snat === undefined ? {} : { enable_snat: boolean(given.enable_snat, name) }),
    ...(given.external_fixed_ips === undefined ? {} : { external_fixed_ips: fixedIps(given.external_fixed_ips, name) }),
  };
}

/** Extra routes; null: none. */
export function routes(value: unknown, name: string): Route[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalidAttribute(name, `Invalid data format for hostroute: ${quoted(value)}`);
  const seen = new Set<string>();
  return value.map((item: unknown): Route => {
    const parsed = route(item, name);
    const key = `${parsed.destination} ${parsed.nexthop}`;
    if (seen.has(key)) throw invalidAttribute(name, `Duplicate hostroute ${quoted(parsed)}`);
    seen.add(key);
    return parsed;
  });
}
