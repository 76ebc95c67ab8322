import Type from 'typebox';

/**
 * The typed leaves of every schema. A string that may reach a configuration file is one of these: each has a pattern that
 * admits no control character, quote or separator of any format we render.
 */

const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const quad = `${octet}(\\.${octet}){3}`;
/** Coarse: the characters of an IPv6 address. `ipVersion()` has the last word, in {@link ./ip.ts}. */
const v6 = '[0-9a-fA-F:.]{2,45}';

export const Uuid = Type.String({ pattern: '^[0-9a-fA-F-]{1,64}$', description: 'Neutron id' });
export const InstanceId = Type.String({
  pattern: '^[0-9a-z][0-9a-z-]{0,63}$',
  description: 'Name of a service instance',
});
export const Ipv4 = Type.String({ pattern: `^${quad}$` });
export const Ipv6 = Type.String({ pattern: `^${v6}$` });
export const Ip = Type.String({ pattern: `^(${quad}|${v6})$` });
export const CidrText = Type.String({ pattern: `^(${quad}/\\d{1,2}|${v6}/\\d{1,3})$`, description: 'address/prefix' });
export const Mac = Type.String({ pattern: '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$' });
/** IFNAMSIZ is 16 with the terminating NUL. */
export const Ifname = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$',
  description: 'Linux interface name',
});
export const Mtu = Type.Integer({ minimum: 68, maximum: 65535, description: 'bytes' });
export const Hostname = Type.String({
  pattern: '^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$',
  description: 'RFC 1123 label',
});
export const DomainName = Type.String({
  // Every label but the last needs its dot: with an optional one this takes exponential time on a long word.
  pattern: '^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.?$',
  maxLength: 253,
});
export const Port = Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP, UDP or SCTP port' });
/** Free text for people. Never rendered into a configuration file. */
export const Label = Type.String({ maxLength: 255 });
