import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import { macBytes } from '../address.ts';
import type { Address, Link, Netns, NetOperation, NftJson, RouteEntry } from '../contract.ts';
import { type Asked, badInput, closed, fromSystem, refused } from '../errors.ts';
import { checkAddress, checkIfname, checkSysctl } from '../input.ts';
import { announcements } from './announce.ts';
import { flushConntrack } from './conntrack.ts';
import type { Libc, Libnftables } from './libc.ts';
import type { LowDescriptors } from './low-descriptors.ts';
import type { Namespaces, Synchronous } from './namespace.ts';
import { afterNft, type Enter, listNft, runNft } from './nftables.ts';
import { change } from './rtnetlink-change.ts';
import { listAddresses, listLinks, listRoutes } from './rtnetlink-list.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from './socket.ts';
import { listenTcp, packetSocket, sendFrame } from './sockets.ts';

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
      router: addresses.some((address) => address.includes(':')) && isRouter(ifname),
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

  async flushConntrack(address: string): Promise<number> {
    const asked = this.#ask('conntrack-flush', address);
    checkAddress(asked, address);
    const { libc } = this.#parts;
    // A listing walks the table of all namespaces, which takes 10 ms.
    if (this.#inside(asked, trackedConnections) === 0) return 0;
    const socket = this.#inside(asked, () => new NetlinkSocket(libc, NETLINK_NETFILTER, asked));
    try {
      return await flushConntrack(socket, address, asked);
    } finally {
      socket.close();
    }
  }

  async listenTcp(address: string, port: number): Promise<number> {
    const asked = this.#ask('listen', `${address} port ${port}`);
    const [ip = ''] = address.split('%');
    checkAddress(asked, ip);
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw badInput(asked, 'not a port');
    return this.#inside(asked, () => listenTcp(this.#parts.libc, address, port, asked));
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

/** The R flag of our advertisements, as the kernel sets it in its own. */
function isRouter(ifname: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${ifname}/forwarding`, 'utf8').trim() !== '0';
  } catch (error) {
    // IPv6 is off on this interface: then nothing of it is announced in earnest either.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Tracked connections of the namespace that the thread is in; undefined when the kernel does not tell. */
function trackedConnections(): number | undefined {
  try {
    return Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
