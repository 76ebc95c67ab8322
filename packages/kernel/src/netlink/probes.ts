/** Whether somebody answers, asked from inside a namespace: ICMP echo and TCP. */
import { randomBytes } from 'node:crypto';
import { ipBytes } from '../address.ts';
import { type Asked, errnoName, refused } from '../errors.ts';
import { poll, since } from '../poll.ts';
import { checksum } from './checksum.ts';
import type { Libc } from './libc.ts';
import { AF_INET, AF_INET6 } from './rtnetlink-list.ts';

const SOCK_STREAM = 1;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const ICMPV6_FILTER = 1;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_ESTABLISHED = 1;
const MSG_DONTWAIT = 0x40;

/** Types of a request and its reply, RFC 792 and RFC 4443. */
const ECHO = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const ECHO_LENGTH = 24;

/** A socket connected (TCP: connecting) to the address. Call inside the namespace. */
export function probeSocket(libc: Libc, kind: 'ping' | 'tcp', address: string, port: number, asked: Asked): number {
  const ip = ipBytes(address);
  const v6 = ip.length === 16;
  const raw = kind === 'ping';
  const type = (raw ? SOCK_RAW : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, type, raw ? (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) : 0);
  if (fd < 0) throw refused(asked, errnoName(libc.errno()));
  if (raw) hearRepliesOnly(libc, fd, v6);
  const name = Buffer.alloc(v6 ? 28 : 16);
  name.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  if (!raw) name.writeUInt16BE(port, 2);
  ip.copy(name, v6 ? 8 : 4);
  if (libc.connect(fd, name, name.length) === 0) return fd;
  const errno = errnoName(libc.errno());
  if (errno === 'EINPROGRESS') return fd;
  libc.close(fd);
  throw refused(asked, errno);
}

/** Of what else arrives the kernel would give us copies. Best effort. */
function hearRepliesOnly(libc: Libc, fd: number, v6: boolean): void {
  const filter = Buffer.alloc(v6 ? 32 : 4, 0xff);
  // A bit that is set blocks its type.
  const type = ECHO[v6 ? 6 : 4].reply;
  const at = (type >>> 5) * 4;
  filter.writeUInt32LE((filter.readUInt32LE(at) & ~(1 << (type & 31))) >>> 0, at);
  if (v6) libc.setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, filter, filter.length);
  else libc.setsockopt(fd, SOL_RAW, ICMP_FILTER, filter, filter.length);
}

export async function ping(libc: Libc, fd: number, address: string, signal: AbortSignal, asked: Asked) {
  const echo = ECHO[address.includes(':') ? 6 : 4];
  const request = randomBytes(ECHO_LENGTH);
  request.writeUInt32BE(0, 0);
  request[0] = echo.request;
  // The kernel fills in ICMPv6's, which covers the addresses.
  if (echo === ECHO[4]) request.writeUInt16BE(checksum(request), 2);
  const start = performance.now();
  if (libc.send(fd, request, request.length, MSG_DONTWAIT) < 0) throw refused(asked, errnoName(libc.errno()));
  const datagram = Buffer.alloc(1500);
  return poll(() => {
    for (;;) {
      const length = libc.recv(fd, datagram, datagram.length, MSG_DONTWAIT);
      if (length < 0) {
        const errno = errnoName(libc.errno());
        if (errno === 'EAGAIN') return undefined;
        throw refused(asked, errno);
      }
      // An IPv4 raw socket hands out the IP header too.
      const at = echo === ECHO[4] ? ((datagram[0] ?? 0) & 15) * 4 : 0;
      const answer = datagram.subarray(at, length);
      // Identifier, sequence number and data are those of the request: twenty random bytes.
      if (answer[0] === echo.reply && answer.subarray(4).equals(request.subarray(4))) return since(start);
    }
  }, signal);
}

/** Whether the connection that `fd` is about has come about. */
export async function connected(libc: Libc, fd: number, signal: AbortSignal, asked: Asked) {
  const start = performance.now();
  return poll(() => {
    const error = Buffer.alloc(4);
    libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, error, Buffer.from([4, 0, 0, 0]));
    if (error.readInt32LE(0) !== 0) throw refused(asked, errnoName(error.readInt32LE(0)));
    const info = Buffer.alloc(8); // its first byte is the state
    libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, Buffer.from([8, 0, 0, 0]));
    return info[0] === TCP_ESTABLISHED ? since(start) : undefined;
  }, signal);
}
