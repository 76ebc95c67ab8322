import { ipVersion, parseCidr } from '@astara/model/ip.ts';
import { badRequest, type Fault, invalidAttribute, invalidInput } from './fault.ts';

/** Values of attributes, read as Neutron's converters and validators read them, and refused in their words. */

type Parse<T> = (value: unknown, name: string) => T;

/** As Python writes it, for messages. */
export function quote(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(quote).join(', ')}]`;
  return `{${Object.entries(value as object)
    .map(([key, item]) => `'${key}': ${quote(item)}`)
    .join(', ')}}`;
}

/** In quotes whatever it is. */
export const quoted = (value: unknown) => (typeof value === 'string' ? `'${value}'` : `'${quote(value)}'`);

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const text =
  (maximum = 255): Parse<string> =>
  (value, name) => {
    if (typeof value !== 'string') throw invalidAttribute(name, `${quoted(value)} is not a valid string`);
    if ([...value].length > maximum) {
      throw invalidAttribute(name, `'${value}' exceeds maximum length of ${maximum}`);
    }
    return value;
  };

const words: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
  [1, true],
  [0, false],
  ['1', true],
  ['0', false],
]);

export const boolean: Parse<boolean> = (value) => {
  const known = words.get(typeof value === 'string' ? value.toLowerCase() : value);
  if (known === undefined) throw invalidInput(`${quoted(value)} cannot be converted to boolean`);
  return known;
};

/** `least`: smaller numbers are refused. */
export const integer =
  (least: number, most = 2 ** 31 - 1): Parse<number> =>
  (value, name) => {
    const number = toInteger(value);
    if (number < least) {
      const reason =
        least === 0 ? `'${number}' should be non-negative` : `'${number}' is too small - must be at least '${least}'`;
      throw invalidAttribute(name, reason);
    }
    if (number > most) throw invalidAttribute(name, `'${number}' is too large - must be no larger than '${most}'`);
    return number;
  };

function toInteger(value: unknown): number {
  const number = typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number))
    throw invalidInput(`${quoted(value)} is not an integer`);
  return number;
}

export const oneOf =
  <const T>(values: readonly T[]): Parse<T> =>
  (value, name) => {
    const found = values.find((one) => one === value);
    if (found === undefined) {
      const shown = typeof value === 'string' ? value : quote(value);
      throw invalidAttribute(name, `${shown} is not in valid_values`);
    }
    return found;
  };

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

export const isUuid = (value: unknown): value is string => typeof value === 'string' && uuidPattern.test(value);

export const uuid: Parse<string> = (value, name) => {
  if (!isUuid(value)) throw invalidAttribute(name, `${quoted(value)} is not a valid UUID`);
  return value;
};

export const orNull =
  <T>(parse: Parse<T>): Parse<T | null> =>
  (value, name) =>
    value === null ? null : parse(value, name);

export const ipAddress: Parse<string> = (value, name) => {
  if (typeof value !== 'string' || ipVersion(value) === undefined) {
    throw invalidAttribute(name, `${quoted(value)} is not a valid IP address`);
  }
  return value;
};

export const cidr: Parse<string> = (value, name) => {
  if (typeof value !== 'string' || parseCidr(value) === undefined) {
    throw invalidAttribute(name, `${quoted(value)} is not a valid CIDR`);
  }
  return value;
};

export const macAddress: Parse<string> = (value, name) => {
  const plain = typeof value === 'string' ? value.replaceAll('-', ':').toLowerCase() : '';
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(plain) || plain === '00:00:00:00:00:00') {
    throw invalidAttribute(name, `${quoted(value)} is not a valid MAC address`);
  }
  return plain;
};

export const list =
  <T>(parse: Parse<T>, refuse: (value: unknown, name: string) => Fault = notAList): Parse<readonly T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw refuse(value, name);
    return value.map((item) => parse(item, name));
  };

const notAList = (value: unknown, name: string) => invalidAttribute(name, `${quoted(value)} is not a list`);

export const dictionary: Parse<Readonly<Record<string, unknown>>> = (value, name) => {
  if (!isObject(value)) throw invalidAttribute(name, `${quoted(value)} is not a dictionary`);
  return value;
};

/** An object with these keys and no other. */
export function exactKeys(value: Readonly<Record<string, unknown>>, name: string, keys: readonly string[]): void {
  const given = Object.keys(value);
  if (given.length === keys.length && keys.every((key) => given.includes(key))) return;
  const set = (names: readonly string[]) => `{${names.map((key) => `'${key}'`).join(', ')}}`;
  throw invalidAttribute(
    name,
    `Validation of dictionary's keys failed. Expected keys: ${set(keys)} Provided keys: ${set(given)}`,
  );
}

/** `{destination, nexthop}`, as in host routes and extra routes. */
export const route: Parse<{ readonly destination: string; readonly nexthop: string }> = (value, name) => {
  const fields = dictionary(value, name);
  exactKeys(fields, name, ['destination', 'nexthop']);
  return { destination: cidr(fields.destination, name), nexthop: ipAddress(fields.nexthop, name) };
};

/** The body's member as an object, or Neutron's words for there being none. */
export function member(body: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const value = body[name];
  if (value === undefined || value === null) throw badRequest(`Unable to find '${name}' in request body`);
  if (!isObject(value)) throw badRequest(`Object '${name}' contains invalid data`);
  return value;
}
