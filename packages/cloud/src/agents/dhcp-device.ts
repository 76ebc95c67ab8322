import { createHash } from 'node:crypto';

/** `device_id` of a port that keeps its address for the next DHCP agent of its network. */
export const reservedDhcpPort = 'reserved_dhcp_port';

/** `device_id` of the port of the DHCP agent on that host, as agents and server both make it: a UUID of version 5 (RFC 9562) of the host's name. */
export function dhcpDeviceId(networkId: string, host: string): string {
  return `dhcp${uuid5(host.split('.')[0] ?? host)}-${networkId}`;
}

const dnsNamespace = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');

function uuid5(name: string): string {
  const hash = createHash('sha1').update(dnsNamespace).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
