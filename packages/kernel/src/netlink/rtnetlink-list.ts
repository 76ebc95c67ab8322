/** Links, addresses and routes of a namespace, listed (rtnetlink(7)). */
import { ipText, isMadeByKernel, macText } from '../address.ts';
import type { Address, Link, RouteEntry } from '../contract.ts';
import type { Asked } from '../errors.ts';
import { type Attributes, attributes, type Message, text } from './message.ts';
import type { Batch, NetlinkSocket } from './socket.ts';

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;

const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, MASTER: 10, LINKINFO: 18, EXT_MASK: 29 } as const;
const IFLA_INFO_KIND = 1;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const IFA_F_PERMANENT = 0x80;
const SCOPES = new Map<number, Address['scope']>([
  [200, 'site'],
  [253, 'link'],
  [254, 'host'],
]);

const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, MULTIPATH: 9, TABLE: 15, VIA: 18 } as const;
const RT_TABLE_MAIN = 254;
const RTN_UNICAST = 1;
const RTPROT_KERNEL = 2;
const RTM_F_CLONED = 0x200;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const IFINFOMSG = 16;
export const RTMSG = 12;

export async function listLinks(socket: NetlinkSocket, asked: Asked): Promise<Link[]> {
  const request = Buffer.alloc(IFINFOMSG + 8);
  request.writeUInt16LE(8, IFINFOMSG);
  request.writeUInt16LE(IFLA.EXT_MASK, IFINFOMSG + 2);
  request.writeUInt32LE(RTEXT_FILTER_SKIP_STATS, IFINFOMSG + 4);
  return socket.dump(RTM_GETLINK, request, asked, decodeLink);
}

function decodeLink({ type, payload }: Message): Link | undefined {
  if (type !== RTM_NEWLINK) return undefined;
  const found = attributes(payload, IFINFOMSG);
  const flags = payload.readUInt32LE(8);
  const mac = found.get(IFLA.ADDRESS);
  const master = found.get(IFLA.MASTER)?.readUInt32LE(0);
  const info = found.get(IFLA.LINKINFO);
  const kind = info === undefined ? '' : text(attributes(info).get(IFLA_INFO_KIND));
  return {
    index: payload.readInt32LE(4),
    ifname: text(found.get(IFLA.IFNAME)),
    // Tunnels have IP addresses here.
    mac: mac?.length === 6 ? macText(mac) : '',
    mtu: found.get(IFLA.MTU)?.readUInt32LE(0) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    ...(kind === '' ? {} : { kind }),
    ...(master === undefined ? {} : { master }),
  };
}

/** Index of the link by name, or undefined. Only inside `socket.exclusive`; `batch` must be new. */
export function findIndex(socket: NetlinkSocket, batch: Batch, ifname: string, asked: Asked): number | undefined {
  let index: number | undefined;
  batch.add(RTM_GETLINK, 0, (writer) => writer.raw(Buffer.alloc(IFINFOMSG)).string(IFLA.IFNAME, ifname));
  socket.ask(batch, asked, ({ type, payload }) => {
    if (type === RTM_NEWLINK) index = payload.readInt32LE(4);
  });
  return index;
}

export async function listAddresses(socket: NetlinkSocket, asked: Asked): Promise<Address[]> {
  const links = new Map((await listLinks(socket, asked)).map((link) => [link.index, link]));
  return socket.dump(RTM_GETADDR, Buffer.alloc(8), asked, ({ type, payload }) => {
    if (type !== RTM_NEWADDR) return undefined;
    const found = attributes(payload, 8);
    const bytes = found.get(IFA.LOCAL) ?? found.get(IFA.ADDRESS);
    const link = links.get(payload.readUInt32LE(4));
    // A link that came between the two lists is in the next one.
    if (bytes === undefined || link === undefined) return undefined;
    const address = ipText(bytes);
    const flags = found.get(IFA.FLAGS)?.readUInt32LE(0) ?? payload[2] ?? 0;
    return {
      ifname: link.ifname,
      cidr: `${address}/${payload[1]}`,
      permanent: (flags & IFA_F_PERMANENT) !== 0 && !isMadeByKernel(address, link.ifname, link.mac),
      scope: SCOPES.get(payload[3] ?? 0) ?? 'global',
    };
  });
}

export async function listRoutes(socket: NetlinkSocket, asked: Asked): Promise<RouteEntry[]> {
  const names = new Map((await listLinks(socket, asked)).map((link) => [link.index, link.ifname]));
  const lists = [];
  for (const family of [AF_INET, AF_INET6]) {
    const request = Buffer.alloc(RTMSG);
    request[0] = family;
    request[4] = RT_TABLE_MAIN;
    lists.push(await socket.dump(RTM_GETROUTE, request, asked, (message) => decodeRoute(message, names)));
  }
  return lists.flat(2);
}

/** One entry per next hop. */
function decodeRoute({ type, payload }: Message, names: ReadonlyMap<number, string>): RouteEntry[] | undefined {
  if (type !== RTM_NEWROUTE) return undefined;
  const found = attributes(payload, RTMSG);
  const table = found.get(RTA.TABLE)?.readUInt32LE(0) ?? payload[4];
  const protocol = payload[5] ?? 0;
  const cloned = (payload.readUInt32LE(8) & RTM_F_CLONED) !== 0;
  if (table !== RT_TABLE_MAIN || payload[7] !== RTN_UNICAST || protocol === RTPROT_KERNEL || cloned) return undefined;

  const dst = found.get(RTA.DST);
  const any = payload[0] === AF_INET ? '0.0.0.0' : '::';
  const metric = found.get(RTA.PRIORITY)?.readUInt32LE(0);
  const common = {
    destination: `${dst === undefined ? any : ipText(dst)}/${payload[1]}`,
    protocol,
    ...(metric === undefined ? {} : { metric }),
  };
  const hop = (index: number | undefined, from: Attributes, weight?: number): RouteEntry => {
    const via = nextHop(from);
    const ifname = index === undefined ? undefined : names.get(index);
    return {
      ...common,
      ...(via === undefined ? {} : { via }),
      ...(ifname === undefined ? {} : { ifname }),
      ...(weight === undefined ? {} : { weight }),
    };
  };
  const multipath = found.get(RTA.MULTIPATH);
  if (multipath === undefined) return [hop(found.get(RTA.OIF)?.readInt32LE(0), found)];
  const hops: RouteEntry[] = [];
  // struct rtnexthop: length u16, flags u8, weight - 1 u8, ifindex i32, then attributes.
  for (let at = 0; at + 8 <= multipath.length; ) {
    const length = multipath.readUInt16LE(at);
    if (length < 8) break;
    const weight = multipath.readUInt8(at + 3) + 1;
    hops.push(hop(multipath.readInt32LE(at + 4), attributes(multipath.subarray(at, at + length), 8), weight));
    at += (length + 3) & ~3;
  }
  return hops;
}

function nextHop(found: Attributes): string | undefined {
  const gateway = found.get(RTA.GATEWAY);
  if (gateway !== undefined) return ipText(gateway);
  // struct rtvia: family u16, address. An IPv4 route through an IPv6 next hop (RFC 5549).
  const via = found.get(RTA.VIA);
  return via === undefined ? undefined : ipText(via.subarray(2));
}
