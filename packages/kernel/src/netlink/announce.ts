/** Frames that tell the neighbours who has an address. */
import { ipBytes } from '../address.ts';
import { checksum } from './checksum.ts';

const BROADCAST = Buffer.alloc(6, 0xff);
/** ff02::1 and its Ethernet address. */
const ALL_NODES = Buffer.from('ff020000000000000000000000000001', 'hex');
const ALL_NODES_MAC = Buffer.from('333300000001', 'hex');
const ETH_P = { IP: 0x0800, ARP: 0x0806, IPV6: 0x86dd } as const;
const ARP_REQUEST = 1;
const ARP_REPLY = 2;
const IPPROTO_ICMPV6 = 58;
const NEIGHBOUR_ADVERTISEMENT = 136;
const NA_ROUTER = 0x80;
const NA_OVERRIDE = 0x20;
const TARGET_LINK_LAYER_ADDRESS = 2;

/** An Ethernet frame with its EtherType. */
export interface Frame {
  readonly protocol: number;
  readonly bytes: Buffer;
}

/**
 * Gratuitous ARP, as request and as reply (some neighbours heed only one of the two), or an unsolicited neighbour
 * advertisement with the override flag. `router` is the R flag: without it hosts forget a router they use (RFC 4861 §7.2.5).
 */
export function announcements(address: string, mac: Buffer, router: boolean): Frame[] {
  const ip = ipBytes(address);
  if (ip.length === 16) return [neighbourAdvertisement(ip, mac, router)];
  return [arp(ARP_REQUEST, ip, mac), arp(ARP_REPLY, ip, mac)];
}

function arp(operation: number, ip: Buffer, mac: Buffer): Frame {
  const body = Buffer.alloc(28);
  body.writeUInt16BE(1, 0); // Ethernet
  body.writeUInt16BE(ETH_P.IP, 2);
  body[4] = 6;
  body[5] = 4;
  body.writeUInt16BE(operation, 6);
  mac.copy(body, 8);
  ip.copy(body, 14);
  // RFC 5944 §4.6: the target's hardware address is the sender's in a reply and not used in a request.
  if (operation === ARP_REPLY) mac.copy(body, 18);
  ip.copy(body, 24);
  return ethernet(BROADCAST, mac, ETH_P.ARP, body);
}

function neighbourAdvertisement(ip: Buffer, mac: Buffer, router: boolean): Frame {
  const icmp = Buffer.alloc(32);
  icmp[0] = NEIGHBOUR_ADVERTISEMENT;
  icmp[4] = NA_OVERRIDE | (router ? NA_ROUTER : 0);
  ip.copy(icmp, 8);
  icmp[24] = TARGET_LINK_LAYER_ADDRESS;
  icmp[25] = 1; // in units of 8 bytes
  mac.copy(icmp, 26);
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(icmp.length, 4);
  header[6] = IPPROTO_ICMPV6;
  header[7] = 255;
  ip.copy(header, 8);
  ALL_NODES.copy(header, 24);
  const pseudo = Buffer.alloc(40);
  header.copy(pseudo, 0, 8, 40);
  pseudo.writeUInt32BE(icmp.length, 32);
  pseudo[39] = IPPROTO_ICMPV6;
  icmp.writeUInt16BE(checksum(Buffer.concat([pseudo, icmp])), 2);
  return ethernet(ALL_NODES_MAC, mac, ETH_P.IPV6, Buffer.concat([header, icmp]));
}

function ethernet(destination: Buffer, source: Buffer, protocol: number, body: Buffer): Frame {
  const header = Buffer.alloc(14);
  destination.copy(header, 0);
  source.copy(header, 6);
  header.writeUInt16BE(protocol, 12);
  return { protocol, bytes: Buffer.concat([header, body]) };
}
