/** Sockets made inside a namespace: they stay in it and are used from outside. */
import { isIPv6 } from 'node:net';
import { ipBytes } from '../address.ts';
import { type Asked, errnoName, refused } from '../errors.ts';
import type { Frame } from './announce.ts';
import type { Libc } from './libc.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const AF_PACKET = 17;
const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const BACKLOG = 511;

function failure(libc: Libc, asked: Asked) {
  return refused(asked, errnoName(libc.errno()));
}

function option(libc: Libc, fd: number, level: number, name: number, asked: Asked): void {
  const on = Buffer.from([1, 0, 0, 0]);
  if (libc.setsockopt(fd, level, name, on, on.length) < 0) throw failure(libc, asked);
}

/** A listening TCP socket; a link-local address may name its interface (`fe80::1%qr-1`). Call inside the namespace. */
export function listenTcp(libc: Libc, address: string, port: number, asked: Asked): number {
  const [ip = '', zone] = address.split('%');
  const v6 = isIPv6(ip);
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(libc, asked);
  try {
    option(libc, fd, SOL_SOCKET, SO_REUSEADDR, asked);
    if (v6) option(libc, fd, IPPROTO_IPV6, IPV6_V6ONLY, asked);
    const name = Buffer.alloc(v6 ? 28 : 16);
    name.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
    name.writeUInt16BE(port, 2);
    ipBytes(ip).copy(name, v6 ? 8 : 4);
    if (v6 && zone !== undefined) name.writeUInt32LE(libc.nameToIndex(zone), 24);
    if (libc.bind(fd, name, name.length) < 0) throw failure(libc, asked);
    if (libc.listen(fd, BACKLOG) < 0) throw failure(libc, asked);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** A packet socket that only sends (protocol 0: nothing is received). Call inside the namespace. */
export function packetSocket(libc: Libc, asked: Asked): number {
  const fd = libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(libc, asked);
  return fd;
}

export function sendFrame(libc: Libc, fd: number, index: number, { protocol, bytes }: Frame, asked: Asked): void {
  const address = Buffer.alloc(20); // struct sockaddr_ll
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(protocol, 2);
  address.writeInt32LE(index, 4);
  if (libc.sendto(fd, bytes, bytes.length, 0, address, address.length) < 0) throw failure(libc, asked);
}

/** Whether the descriptor is a netlink socket of netfilter. */
export function isNetfilterSocket(libc: Libc, fd: number): boolean {
  const value = Buffer.alloc(4);
  const is = (name: number, expected: number) =>
    libc.getsockopt(fd, SOL_SOCKET, name, value, Buffer.from([4, 0, 0, 0])) === 0 && value.readInt32LE(0) === expected;
  return is(SO_DOMAIN, AF_NETLINK) && is(SO_PROTOCOL, NETLINK_NETFILTER);
}
