import { canonicalIp, ipVersion, parseCidr } from '@astara/model/ip.ts';
import { badRequest, Fault, invalidInput } from '../api/fault.ts';
import { isObject, macAddress, quote } from '../api/parse.ts';
import type { PortRow } from '../store/rows.ts';

/** Neutron's option max_allowed_address_pair. */
const maxPairs = 10;

export interface AddressPair {
  readonly ip_address: string;
  /** Absent: the port's own. */
  readonly mac_address?: string;
}

export function addressPairs(value: unknown): readonly AddressPair[] {
  if (!Array.isArray(value)) throw badRequest('Allowed address pairs must be a list.');
  if (value.length > maxPairs) {
    const message = `The number of allowed address pair exceeds the maximum ${maxPairs}.`;
    throw new Fault(400, 'AllowedAddressPairExhausted', message);
  }
  const seen = new Set<string>();
  return value.map((item: unknown) => {
    if (!isObject(item) || item.ip_address === undefined) {
      throw new Fault(400, 'AllowedAddressPairsMissingIP', 'AllowedAddressPair must contain ip_address');
    }
    const { ip_address: given, mac_address: mac, ...rest } = item;
    const ip_address = addressOrPrefix(given);
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw badRequest(`Unrecognized attribute(s) '${Object.keys(rest).join(', ')}'`);
    const pair =
      mac === undefined || mac === null
        ? { ip_address }
        : { ip_address, mac_address: macAddress(mac, 'allowed_address_pairs') };
    const key = `${pair.mac_address ?? 'None'} ip_address ${ip_address}`;
    if (seen.has(key)) {
      const message = `Request contains duplicate address pair: mac_address ${key}.`;
      throw new Fault(400, 'DuplicateAddressPairInRequest', message);
    }
    seen.add(key);
    return pair;
  });
}

function addressOrPrefix(value: unknown): string {
  if (typeof value === 'string') {
    if (ipVersion(value) !== undefined) return canonicalIp(value);
    if (parseCidr(value) !== undefined) return value;
  }
  throw badRequest(`${typeof value === 'string' ? quote(value) : `'${quote(value)}'`} is not a valid IP address`);
}

/** `opt_value` null takes the option away. */
export interface OptionRequest {
  readonly opt_name: string;
  readonly opt_value: string | null;
  readonly ip_version: 4 | 6;
}

export function dhcpOptions(value: unknown): readonly OptionRequest[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalidInput(`${quote(value)} is not a list`);
  return value.map((item: unknown) => {
    const option = isObject(item) ? readOption(item) : undefined;
    if (option === undefined) throw invalidInput(`No valid key specs matched for: ${quote(item)}`);
    return option;
  });
}

function readOption(item: Readonly<Record<string, unknown>>): OptionRequest | undefined {
  const { opt_name, opt_value, ip_version: version = 4, ...rest } = item;
  if (Object.keys(rest).length > 0 || typeof opt_name !== 'string' || opt_name.trim() === '') return undefined;
  if (opt_name.length > 64) return undefined;
  if (opt_value !== null && (typeof opt_value !== 'string' || opt_value.length > 255)) return undefined;
  const ip_version = Number(version);
  if (ip_version !== 4 && ip_version !== 6) return undefined;
  return { opt_name, opt_value, ip_version };
}

/** The port's options with those changed that are asked for; others stay. */
export function mergeOptions(
  present: PortRow['extra_dhcp_opts'],
  wanted: readonly OptionRequest[],
): PortRow['extra_dhcp_opts'] {
  const key = (option: Pick<OptionRequest, 'opt_name' | 'ip_version'>) => `${option.ip_version} ${option.opt_name}`;
  const merged = new Map(present.map((option) => [key(option), option]));
  for (const { opt_value, ...option } of wanted) {
    if (opt_value === null) merged.delete(key(option));
    else merged.set(key(option), { ...option, opt_value });
  }
  return [...merged.values()];
}
