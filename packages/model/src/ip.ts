import ipaddr from 'ipaddr.js';

/** `4` or `6`, as in Neutron's `ip_version`. */
export type IpVersion = 4 | 6;

export interface Cidr {
  readonly address: string;
  readonly prefix: number;
  readonly version: IpVersion;
}

/** Strict: dotted quads with four parts, no zone ids, no octal. `undefined` when it is not an address. */
export function ipVersion(address: string): IpVersion | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return 4;
  if (address.includes(':') && !address.includes('%') && ipaddr.IPv6.isValid(address)) return 6;
  return undefined;
}

/** `address/prefix`; the address may have host bits set. `undefined` when it is not one. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1];
  if (address === undefined) return undefined;
  const version = ipVersion(address);
  const prefix = Number(match?.[2]);
  if (version === undefined || prefix > (version === 4 ? 32 : 128)) return undefined;
  return { address, prefix, version };
}

/** The network of a CIDR with its host bits cleared: `10.0.0.5/24` → `10.0.0.0/24`. Throws on text that is no CIDR. */
export function networkOf(cidr: string): string {
  const { address, prefix, version } = mustParse(cidr);
  if (version === 6) return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${prefix}`).toString()}/${prefix}`;
  // By hand: this is asked for every route.
  const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
  const octets = address.split('.');
  return `${octets.map((octet, index) => Number(octet) & (mask >>> (24 - index * 8)) & 255).join('.')}/${prefix}`;
}

/** Whether `address` lies in `cidr`. False across IP versions. Throws on text that is neither. */
export function contains(cidr: string, address: string): boolean {
  const net = mustParse(cidr);
  const parsed = ipaddr.parse(undotted(address));
  if ((parsed.kind() === 'ipv4' ? 4 : 6) !== net.version) return false;
  return parsed.match(ipaddr.parse(net.address), net.prefix);
}

/** The shortest text form (RFC 5952 for IPv6), so that two spellings of one address compare equal. */
export function canonicalIp(address: string): string {
  return ipaddr.parse(undotted(address)).toString();
}

/** `::1.2.3.4` as `::102:304` (RFC 4291 §2.2): ipaddr.js takes that form for `::ffff:1.2.3.4`. */
function undotted(address: string): string {
  const [, head, a, b, c, d] = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address) ?? [];
  if (head === undefined) return address;
  const part = (high: string | undefined, low: string | undefined) => (Number(high) * 256 + Number(low)).toString(16);
  return `${head}${part(a, b)}:${part(c, d)}`;
}

/** EUI-64 link-local address of a MAC (RFC 4291, appendix A). */
export function linkLocal(mac: string): string {
  const bytes = mac.split(':').map((part) => Number.parseInt(part, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  return new ipaddr.IPv6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]).toString();
}

function mustParse(cidr: string): Cidr {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) throw new TypeError(`not a CIDR: ${JSON.stringify(cidr)}`);
  return { ...parsed, address: undotted(parsed.address) };
}
