import { createHash } from 'node:crypto';

/** RFC 4122, appendix C: the namespace of DNS names. */
const NAMESPACE_DNS = '6ba7b8109dad11d180b400c04fd430c8';

/** RFC 4122, version 5. */
export function uuid5(name: string): string {
  const hash = createHash('sha1').update(Buffer.from(NAMESPACE_DNS, 'hex')).update(name).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The `device_id` of this host's DHCP port on a network: that of neutron-dhcp-agent, so that each takes over the other's ports. */
export function dhcpDeviceId(host: string, networkId: string): string {
  const name = host.split('.')[0] ?? host;
  return `dhcp${uuid5(name)}-${networkId}`;
}

/** What Neutron writes into a DHCP port that it keeps for whichever agent gets the network next. */
export const RESERVED_DEVICE_ID = 'reserved_dhcp_port';
