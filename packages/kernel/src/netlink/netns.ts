import { closeSync, readFileSync, writeFileSync } from 'node:fs';
import { macBytes } from '../address.ts';
import type { Address, Link, Netns, NetOperation, NftJson, RouteEntry } from '../contract.ts';
import { type Asked, badInput, closed, fromSystem, refused } from '../errors.ts';
import { checkAddress, checkIfname, checkSysctl } from '../input.ts';
import { announcements } from './announce.ts';
import { flushConntrack } from './conntrack.ts';
import type { Libc, Libnftables, NftPointer } from './libc.ts';
import type { Namespaces, Synchronous } from './namespace.ts';
import { listNft, openNft, runNft } from './nftables.ts';
import { change } from './rtnetlink-change.ts';
import { listAddresses, listLinks, listRoutes } from './rtnetlink-list.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from './socket.ts';
import { listenTcp, packetSocket, sendFrame } from './sockets.ts';

/** What a handle is made of. */
export interface Parts {
  readonly libc: Libc;
  readonly nftables: Libnftables;
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
    await runNft(this.#parts, this.#openNft(asked), script, asked);
  }

  async nftList(what: string): Promise<NftJson | undefined> {
    const asked = this.#ask('nft list', what);
    return listNft(this.#parts, this.#openNft(asked), what, asked);
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
      await libc.closeAsync(fd);
    }
  }

  async flushConntrack(address: string): Promise<number> {
    const asked = this.#ask('conntrack-flush', address);
    checkAddress(asked, address);
    const { libc } = this.#parts;
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
    closeSync(this.#fd);
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
    return this.#parts.namespaces.inside(this.#fd, asked, work);
  }

  #openNft(asked: Asked): NftPointer {
    return this.#inside(asked, () => openNft(this.#parts.nftables, asked));
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
