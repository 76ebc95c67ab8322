import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { macBytes } from '../address.ts';
import type {
  Address,
  DatagramQuestion,
  Endpoints,
  Flow,
  Link,
  Netns,
  NetOperation,
  NftJson,
  ProxyNeighbour,
  RouteEntry,
} from '../contract.ts';
import { type Asked, closed, fromSystem, refused } from '../errors.ts';
import { checkAddress, checkIfname, checkPort, checkSysctl } from '../input.ts';
import { announcements } from './announce.ts';
import { endConnections } from './conntrack.ts';
import { answerTo, datagramSocket } from './datagram.ts';
import type { Libc, Libnftables } from './libc.ts';
import type { LowDescriptors } from './low-descriptors.ts';
import type { Namespaces, Synchronous } from './namespace.ts';
import { listProxies, resolve } from './neighbours.ts';
import { afterNft, type Enter, listNft, runNft } from './nftables.ts';
import { connected, ping, probeSocket } from './probes.ts';
import { change } from './rtnetlink-change.ts';
import { listAddresses, listLinks, listRoutes } from './rtnetlink-list.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from './socket.ts';
import { listenTcp, packetSocket, sendFrame } from './sockets.ts';

/** Files read without a pause; one takes about 20 µs. */
const SYSCTLS_AT_ONCE = 128;

/** What a handle is made of. */
export interface Parts {
  readonly libc: Libc;
  readonly nftables: Libnftables;
  readonly lowDescriptors: LowDescriptors;
  readonly namespaces: Namespaces;
}

/** A descriptor of the namespace and a route socket in it; all else is made in the namespace when it is needed. */
export class NetlinkNetns implements Netns {
  readonly name: string | null;
  readonly #parts: Parts;
  readonly #fd: number;
  readonly #route: NetlinkSocket;
  #closed = false;

  /** Takes over `fd`. */
  constructor(parts: Parts, name: string | null, fd: number) {
    this.name = name;
    this.#parts = parts;
    this.#fd = fd;
    const asked = this.#ask('netns-open', '');
    this.#route = parts.namespaces.inside(fd, asked, () => new NetlinkSocket(parts.libc, NETLINK_ROUTE, asked));
  }

  async links(): Promise<Link[]> {
    return listLinks(this.#route, this.#ask('list', 'links'));
  }

  async addresses(): Promise<Address[]> {
    return listAddresses(this.#route, this.#ask('list', 'addresses'));
  }

  async routes(): Promise<RouteEntry[]> {
    return listRoutes(this.#route, this.#ask('list', 'routes'));
  }

  async change(operations: readonly NetOperation[]): Promise<void> {
    this.#ask('change', `${operations.length} operations`);
    return change(this.#route, operations, this.#where);
  }

  async sysctl(values: Readonly<Record<string, string>>): Promise<void> {
    for (const key of Object.keys(values)) checkSysctl(this.#ask('sysctl', key), key);
    this.#inside(this.#ask('sysctl', ''), () => {
      for (const [key, value] of Object.entries(values)) {
        try {
          writeFileSync(`/proc/sys/${key}`, value);
        } catch (error) {
          throw fromSystem(this.#ask('sysctl', `${key}=${value}`), error);
        }
      }
    });
  }

  async readSysctl(keys: readonly string[]): Promise<Record<string, string>> {
    for (const key of keys) checkSysctl(this.#ask('sysctl-read', key), key);
    const values: Record<string, string> = {};
    for (let at = 0; at < keys.length; at += SYSCTLS_AT_ONCE) {
      // Hundreds of networks have thousands of them: others have their turn in between.
      if (at > 0) await setImmediate();
      this.#inside(this.#ask('sysctl-read', ''), () => {
        for (const key of keys.slice(at, at + SYSCTLS_AT_ONCE)) {
          const value = readIfThere(`/proc/sys/${key}`, this.#ask('sysctl-read', key));
          if (value !== undefined) values[key] = value;
        }
      });
    }
    return values;
  }

  async nft(script: string): Promise<void> {
    const asked = this.#ask('nft', 'transaction');
    await runNft(this.#parts, this.#enter(asked), script, asked);
  }

  async nftList(what: string): Promise<NftJson | undefined> {
    const asked = this.#ask('nft list', what);
    return listNft(this.#parts, this.#enter(asked), what, asked);
  }

  async announce(ifname: string, addresses: readonly string[]): Promise<void> {
    const asked = this.#ask('announce', `${addresses.join(' ')} on ${ifname}`);
    checkIfname(asked, ifname);
    for (const address of addresses) checkAddress(asked, address);
    const link = (await this.links()).find((candidate) => candidate.ifname === ifname);
    if (link === undefined) throw refused(asked, 'ENODEV');
    const { libc } = this.#parts;
    const { fd, router } = this.#inside(asked, () => ({
      router: addresses.some((address) => address.includes(':')) && isRouter(ifname, asked),
      fd: packetSocket(libc, asked),
    }));
    try {
      for (const address of addresses) {
        for (const frame of announcements(address, macBytes(link.mac), router)) {
          sendFrame(libc, fd, link.index, frame, asked);
        }
      }
    } finally {
      // Takes 16 ms, which nobody needs to wait for.
      void libc.closeAsync(fd);
    }
  }

  async endConnections(ends: (flow: Flow) => boolean): Promise<number> {
    const asked = this.#ask('conntrack', 'connections');
    const { libc } = this.#parts;
    // A listing walks the table of all namespaces, which takes 10 ms.
    if (this.#inside(asked, () => trackedConnections(asked)) === 0) return 0;
    const socket = this.#inside(asked, () => new NetlinkSocket(libc, NETLINK_NETFILTER, asked));
    try {
      return await endConnections(socket, ends, asked);
    } finally {
      socket.close();
    }
  }

  async resolve(ifname: string, address: string, signal: AbortSignal): Promise<string | undefined> {
    const asked = this.#ask('resolve', `${address} on ${ifname}`);
    checkIfname(asked, ifname);
    checkAddress(asked, address);
    return resolve(this.#route, ifname, address, signal, asked);
  }

  async proxies(): Promise<ProxyNeighbour[]> {
    return listProxies(this.#route, this.#ask('list', 'proxies'));
  }

  async ping(address: string, signal: AbortSignal): Promise<number | undefined> {
    const asked = this.#ask('ping', address);
    checkAddress(asked, address);
    const { libc } = this.#parts;
    const fd = this.#inside(asked, () => probeSocket(libc, 'ping', address, 0, asked));
    return ping(libc, fd, address, signal, asked).finally(() => libc.close(fd));
  }

  async connectTcp(address: string, port: number, signal: AbortSignal): Promise<number | undefined> {
    const asked = this.#ask('connect', `${address} port ${port}`);
    checkAddress(asked, address);
    checkPort(asked, port);
    const { libc } = this.#parts;
    const fd = this.#inside(asked, () => probeSocket(libc, 'tcp', address, port, asked));
    return connected(libc, fd, signal, asked).finally(() => libc.close(fd));
  }

  async askLocally(question: DatagramQuestion, signal: AbortSignal): Promise<Buffer | undefined> {
    const asked = this.#ask('ask', `${question.to} port ${question.port}`);
    for (const address of [question.from, question.to]) checkAddress(asked, address);
    for (const port of [question.fromPort, question.port]) checkPort(asked, port);
    if (question.ifname !== undefined) checkIfname(asked, question.ifname);
    const { libc } = this.#parts;
    const fd = this.#inside(asked, () => datagramSocket(libc, question, asked));
    return answerTo(libc, fd, question, signal, asked);
  }

  async listenTcp(address: string, port: number): Promise<number> {
    const asked = this.#ask('listen', `${address} port ${port}`);
    const [ip = ''] = address.split('%');
    checkAddress(asked, ip);
    checkPort(asked, port);
    return this.#inside(asked, () => listenTcp(this.#parts.libc, address, port, asked));
  }

  endpoints(socket: Socket): Endpoints {
    const read = () => ({ local: socket.localAddress ?? '', remote: socket.remoteAddress ?? '' });
    return this.#inside(this.#ask('endpoints', ''), read);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#route.close();
    afterNft(() => closeSync(this.#fd));
  }

  get #where(): string {
    return this.name === null ? '' : ` in ${this.name}`;
  }

  /** Names what is asked, and refuses it on a closed handle. */
  #ask(operation: string, object: string): Asked {
    const asked = { operation, object: `${object}${this.#where}`.trim() };
    if (this.#closed) throw closed(asked);
    return asked;
  }

  #inside<T>(asked: Asked, work: () => Synchronous<T>): Synchronous<T> {
    // It may have been closed since the operation began, and the descriptor's number be another file's.
    if (this.#closed) throw closed(asked);
    return this.#parts.namespaces.inside(this.#fd, asked, work);
  }

  /** For a call that has its turn later; {@link close} waits for it. */
  #enter(asked: Asked): Enter {
    return (work) => this.#parts.namespaces.inside(this.#fd, asked, work);
  }
}

/** The R flag of our advertisements, as the kernel sets it in its own. IPv6 off: nothing of it is announced in earnest. */
function isRouter(ifname: string, asked: Asked): boolean {
  return (readIfThere(`/proc/sys/net/ipv6/conf/${ifname}/forwarding`, asked) ?? '0') !== '0';
}

/** Tracked connections of the namespace that the thread is in; undefined when the kernel does not tell. */
function trackedConnections(asked: Asked): number | undefined {
  const count = readIfThere('/proc/sys/net/netfilter/nf_conntrack_count', asked);
  return count === undefined ? undefined : Number(count);
}

/** Without the newline; undefined when there is no such file. */
function readIfThere(path: string, asked: Asked): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw fromSystem(asked, error);
  }
}
