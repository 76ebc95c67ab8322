import { canonicalIp, ipVersion, parseCidr } from '@astara/model/ip.ts';
import { errors } from './errors.ts';

/**
 * The leaves of every node that a renderer may see. A value of these types has passed a check of its alphabet, so it holds no
 * quote, separator or control character of nft, dnsmasq or BIRD; {@link Printable} alone is quoted by its renderer.
 */

declare const kind: unique symbol;
type Value<Kind extends string> = string & { readonly [kind]: Kind };

export type Ifname = Value<'ifname'>;
export type Ip = Value<'ip'>;
/** Network address / prefix, canonical. */
export type Prefix = Value<'prefix'>;
export type Mac = Value<'mac'>;
/** DNS names of one or more labels, without the trailing dot. */
export type DnsName = Value<'name'>;
export type OptionName = Value<'option'>;
/** ASCII 0x20 to 0x7e. */
export type Printable = Value<'printable'>;

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const quad = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

export function ifname(text: string, field: string): Ifname {
  return checked(text, /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(text), 'an interface name', field) as Ifname;
}

/** In canonical form. */
export function ip(text: string, field: string): Ip {
  // The common case without the parser: this is called for every port.
  if (quad.test(text)) return text as Ip;
  const version = ipVersion(text);
  checked(text, version !== undefined, 'an IP address', field);
  return (version === 4 ? text : canonicalIp(text)) as Ip;
}

export function prefix(text: string, field: string): Prefix {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw refused(text, 'a prefix', field);
  return `${ip(parsed.address, field)}/${parsed.prefix}` as Prefix;
}

/** In lower case. */
export function mac(text: string, field: string): Mac {
  return checked(text, /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text), 'a MAC', field).toLowerCase() as Mac;
}

/** In lower case: capitals make dnsmasq convert a name by IDNA, which refuses some that are valid in DNS, such as `Aa--b`. */
export function dnsName(text: string, field: string): DnsName {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  // The common case first: this is called for every port.
  if (label.test(name)) return name as DnsName;
  const valid = name.length <= 253 && name.split('.').every((part) => label.test(part));
  return checked(name, valid, 'a DNS name', field) as DnsName;
}

export function optionName(text: string, field: string): OptionName {
  return checked(text, /^[a-z0-9][a-z0-9-]{0,63}$/.test(text), 'a DHCP option', field) as OptionName;
}

export function printable(text: string, field: string): Printable {
  return checked(text, /^[\x20-\x7e]*$/.test(text), 'printable ASCII', field) as Printable;
}

function checked(text: string, valid: boolean, what: string, field: string): string {
  if (!valid) throw refused(text, what, field);
  return text;
}

function refused(text: string, what: string, field: string) {
  return errors.make('APPLIANCE_VALUE_REFUSED', { field, value: JSON.stringify(text), kind: what }, { field });
}
