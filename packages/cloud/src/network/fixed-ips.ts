import { invalidAttribute } from '../api/fault.ts';
import { ipAddress, isObject, quoted, uuid } from '../api/parse.ts';

/** An address that is asked for: in this subnet, this one, or both. */
export interface FixedIpRequest {
  readonly subnet_id?: string;
  readonly ip_address?: string;
}

/** `fixed_ips` of a port, `external_fixed_ips` of a gateway. */
export function fixedIps(value: unknown, name: string): readonly FixedIpRequest[] {
  const invalid = (what: unknown) => invalidAttribute(name, `Invalid data format for fixed IP: ${quoted(what)}`);
  if (!Array.isArray(value)) throw invalid(value);
  const seen = new Set<string>();
  return value.map((item: unknown): FixedIpRequest => {
    if (!isObject(item)) throw invalid(item);
    const address = item.ip_address === undefined ? {} : { ip_address: ipAddress(item.ip_address, name) };
    if (address.ip_address !== undefined) {
      if (seen.has(address.ip_address)) throw invalidAttribute(name, `Duplicate IP address '${address.ip_address}'`);
      seen.add(address.ip_address);
    }
    return { ...address, ...(item.subnet_id === undefined ? {} : { subnet_id: uuid(item.subnet_id, name) }) };
  });
}
