/** Questions over UDP, asked from inside a namespace of the servers that run in it. */
import { ipBytes } from '../address.ts';
import type { DatagramQuestion } from '../contract.ts';
import { type Asked, errnoName, refused } from '../errors.ts';
import { poll } from '../poll.ts';
import type { Libc } from './libc.ts';
import { AF_INET, AF_INET6 } from './rtnetlink-list.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_JOIN_GROUP = 20;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;
const LONGEST = 65_535;
/** ms */
const AGAIN = 200;
/**
 * An answer that comes late must not find the port closed and another socket of the server's own behind it: dnsmasq would take
 * its DHCPv6 answer to a relay for a question, and look for the MAC of who asks for half a second. ms
 */
const LATE = 10_000;

/** A socket bound as the question says. Call inside the namespace. */
export function datagramSocket(libc: Libc, question: DatagramQuestion, asked: Asked): number {
  const v6 = question.from.includes(':');
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw refused(asked, errnoName(libc.errno()));
  try {
    const set = (level: number, name: number, value: Buffer) => {
      if (libc.setsockopt(fd, level, name, value, value.length) < 0) throw refused(asked, errnoName(libc.errno()));
    };
    set(SOL_SOCKET, SO_REUSEADDR, number(1));
    if (v6) set(IPPROTO_IPV6, IPV6_V6ONLY, number(1));
    if (isGroup(question.to)) {
      // With no hops it comes back to members here and goes no further, but only from a machine that is a member itself.
      const index = number(question.ifname === undefined ? 0 : libc.nameToIndex(question.ifname));
      set(IPPROTO_IPV6, IPV6_JOIN_GROUP, Buffer.concat([ipBytes(question.to), index]));
      set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, number(0));
    }
    if (question.ifname !== undefined) set(SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${question.ifname}\0`));
    const name = socketAddress(question.from, question.fromPort);
    if (libc.bind(fd, name, name.length) < 0) throw refused(asked, errnoName(libc.errno()));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Closes the socket, now or, when there was no answer, some time later: see {@link LATE}. */
export async function answerTo(
  libc: Libc,
  fd: number,
  question: DatagramQuestion,
  signal: AbortSignal,
  asked: Asked,
): Promise<Buffer | undefined> {
  let answer: Buffer | undefined;
  try {
    answer = await poll(asker(libc, fd, question, asked), signal);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  if (answer === undefined) setTimeout(() => libc.close(fd), LATE).unref();
  else libc.close(fd);
  return answer;
}

/** Asks, and asks again: a server that is just being started has not heard the first. */
function asker(libc: Libc, fd: number, { message, to, port, answers }: DatagramQuestion, asked: Asked) {
  const server = socketAddress(to, port);
  const datagram = Buffer.alloc(LONGEST);
  let due = performance.now();
  return () => {
    if (performance.now() >= due) {
      due += AGAIN;
      // Not connected: an answer to what was sent to a group comes from elsewhere.
      if (libc.sendto(fd, message, message.length, MSG_DONTWAIT, server, server.length) < 0) {
        throw refused(asked, errnoName(libc.errno()));
      }
    }
    for (;;) {
      const length = libc.recv(fd, datagram, datagram.length, MSG_DONTWAIT);
      if (length < 0) {
        const errno = errnoName(libc.errno());
        if (errno === 'EAGAIN') return undefined;
        throw refused(asked, errno);
      }
      const answer = Buffer.from(datagram.subarray(0, length));
      if (answers(answer)) return answer;
    }
  };
}

/** Of IPv6 (RFC 4291 §2.7). */
function isGroup(address: string): boolean {
  return ipBytes(address)[0] === 0xff && address.includes(':');
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function socketAddress(address: string, port: number): Buffer {
  const ip = ipBytes(address);
  const v6 = ip.length === 16;
  const name = Buffer.alloc(v6 ? 28 : 16);
  name.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  name.writeUInt16BE(port, 2);
  ip.copy(name, v6 ? 8 : 4);
  return name;
}
