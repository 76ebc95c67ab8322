import { closeSync } from 'node:fs';
import type {
  Address,
  DatagramQuestion,
  Flow,
  Link,
  Netns,
  NetOperation,
  NftJson,
  ProxyNeighbour,
  RouteEntry,
} from '../contract.ts';
import { type Asked, closed, errnoInText, KernelError, refused } from '../errors.ts';
import { checkAddress, checkIfname, checkPort, checkSysctl } from '../input.ts';
import { nftFailure, parseNftJson } from '../nft-text.ts';
import { change } from './batch.ts';
import { deletion, parseFlows } from './flows.ts';
import { listAddresses, listLinks, listRoutes } from './list.ts';
import { listProxies, resolve } from './neighbours.ts';
import { connectTcp, ping } from './probes.ts';
import { type Program, run } from './programs.ts';

/** Writes each value ($2) to its file ($1), pair by pair. */
const WRITE_SYSCTLS =
  'while [ $# -gt 0 ]; do printf %s "$2" > "/proc/sys/$1" || { echo "at $1" >&2; exit 1; }; shift 2; done';

/** Lines of options on standard input; conntrack's own `-R` does not do deletions. One that has ended by itself is no error. */
const END_CONNECTIONS = 'while read -r options; do conntrack -D $options >/dev/null 2>&1 || :; done';

/** Each file and what it holds, line by line; files that do not exist are left out. */
const READ_SYSCTLS =
  'for key; do if [ -e "/proc/sys/$key" ]; then printf "%s=" "$key"; cat "/proc/sys/$key" || exit 1; fi; done';

/**
 * Makes the kernel announce all addresses of an interface: gratuitous ARP and neighbour advertisements follow a "change"
 * of its MAC address to the same one while arp_notify and ndisc_notify are set. Needs no further program, unlike arping
 * (IPv4 only). Neighbours known on the interface are resolved anew.
 */
const ANNOUNCE = `set -e
arp=/proc/sys/net/ipv4/conf/$1/arp_notify; nd=/proc/sys/net/ipv6/conf/$1/ndisc_notify
a=$(cat "$arp"); n=$(cat "$nd" 2>/dev/null || true)
echo 1 > "$arp"; if [ -n "$n" ]; then echo 1 > "$nd"; fi
ip link set dev "$1" address "$2" && code=0 || code=$?
echo "$a" > "$arp"; if [ -n "$n" ]; then echo "$n" > "$nd"; fi
exit $code`;

export class IprouteNetns implements Netns {
  readonly name: string | null;
  readonly #fd: number | null;
  #closed = false;
  /** Programs under way, which still need the descriptor. */
  #running = 0;

  /** Takes over `fd`; null stands for our own namespace. */
  constructor(name: string | null, fd: number | null) {
    this.name = name;
    this.#fd = fd;
  }

  async links(): Promise<Link[]> {
    return this.#use(this.#ask('list', 'links'), (asked) => listLinks(this.#fd, asked));
  }

  async addresses(): Promise<Address[]> {
    return this.#use(this.#ask('list', 'addresses'), (asked) => listAddresses(this.#fd, asked));
  }

  async routes(): Promise<RouteEntry[]> {
    return this.#use(this.#ask('list', 'routes'), (asked) => listRoutes(this.#fd, asked));
  }

  async change(operations: readonly NetOperation[]): Promise<void> {
    const asked = this.#ask('change', `${operations.length} operations`);
    return this.#use(asked, () => change(this.#fd, operations, this.#where));
  }

  async sysctl(values: Readonly<Record<string, string>>): Promise<void> {
    const entries = Object.entries(values);
    for (const [key] of entries) checkSysctl(this.#ask('sysctl', key), key);
    if (entries.length === 0) return;
    const asked = this.#ask('sysctl', entries.map((entry) => entry.join('=')).join(' '));
    await this.#run(asked, 'sh', ['-c', WRITE_SYSCTLS, 'sh', ...entries.flat()]);
  }

  async readSysctl(keys: readonly string[]): Promise<Record<string, string>> {
    const asked = this.#ask('sysctl-read', `${keys.length} keys`);
    for (const key of keys) checkSysctl(this.#ask('sysctl-read', key), key);
    if (keys.length === 0) return {};
    const { code, stdout, stderr } = await this.#program(asked, 'sh', ['-c', READ_SYSCTLS, 'sh', ...keys]);
    if (code !== 0) throw refused(asked, errnoInText(stderr), stderr.trim());
    const lines = stdout.split('\n').filter((line) => line !== '');
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  async nft(script: string): Promise<void> {
    const asked = this.#ask('nft', 'transaction');
    const { code, stderr } = await this.#program(asked, 'nft', ['-f', '-'], script);
    if (code !== 0) throw nftFailure(asked, stderr);
  }

  async nftList(what: string): Promise<NftJson | undefined> {
    const asked = this.#ask('nft list', what);
    const { code, stdout, stderr } = await this.#program(asked, 'nft', ['-j', 'list', what]);
    if (code === 0) return parseNftJson(stdout, asked);
    if (errnoInText(stderr) === 'ENOENT') return undefined;
    throw nftFailure(asked, stderr);
  }

  /** Announces these addresses and all others of the interface. */
  async announce(ifname: string, addresses: readonly string[]): Promise<void> {
    const asked = this.#ask('announce', `${addresses.join(' ')} on ${ifname}`);
    checkIfname(asked, ifname);
    for (const address of addresses) checkAddress(asked, address);
    const link = (await this.links()).find((candidate) => candidate.ifname === ifname);
    if (link === undefined) throw refused(asked, 'ENODEV');
    if (addresses.length > 0) await this.#run(asked, 'sh', ['-c', ANNOUNCE, 'sh', ifname, link.mac]);
  }

  async endConnections(ends: (flow: Flow) => boolean): Promise<number> {
    const asked = this.#ask('conntrack', 'connections');
    const listed = await Promise.all(
      ['ipv4', 'ipv6'].map((family) => this.#program(asked, 'conntrack', ['-L', '-f', family, '-o', 'extended'])),
    );
    const failed = listed.find(({ code }) => code !== 0);
    if (failed !== undefined) throw refused(asked, errnoInText(failed.stderr), failed.stderr.trim());
    const found = listed.flatMap(({ stdout }) => parseFlows(stdout)).filter(ends);
    if (found.length === 0) return 0;
    const { code, stderr } = await this.#program(asked, 'sh', ['-c', END_CONNECTIONS], found.map(deletion).join(''));
    if (code !== 0) throw refused(asked, errnoInText(stderr), stderr.trim());
    return found.length;
  }

  async resolve(ifname: string, address: string, signal: AbortSignal): Promise<string | undefined> {
    const asked = this.#ask('resolve', `${address} on ${ifname}`);
    checkIfname(asked, ifname);
    checkAddress(asked, address);
    return this.#use(asked, () => resolve(this.#fd, ifname, address, signal, asked));
  }

  async proxies(): Promise<ProxyNeighbour[]> {
    return this.#use(this.#ask('list', 'proxies'), (asked) => listProxies(this.#fd, asked));
  }

  async ping(address: string, signal: AbortSignal): Promise<number | undefined> {
    const asked = this.#ask('ping', address);
    checkAddress(asked, address);
    return this.#use(asked, () => ping(this.#fd, address, signal, asked));
  }

  async connectTcp(address: string, port: number, signal: AbortSignal): Promise<number | undefined> {
    const asked = this.#ask('connect', `${address} port ${port}`);
    checkAddress(asked, address);
    checkPort(asked, port);
    return this.#use(asked, () => connectTcp(this.#fd, address, port, signal, asked));
  }

  /** Programs that bind to an interface and a port of our choice are not part of Debian's base. */
  async askLocally({ to, port }: DatagramQuestion): Promise<Buffer | undefined> {
    throw new KernelError('KERNEL_UNSUPPORTED', this.#ask('ask', `${to} port ${port}`), '', '');
  }

  /** A descriptor cannot be had from another process without FFI. */
  async listenTcp(address: string, port: number): Promise<number> {
    const asked = this.#ask('listen', `${address} port ${port}`);
    throw new KernelError('KERNEL_UNSUPPORTED', asked, '', '');
  }

  endpoints(): never {
    throw new KernelError('KERNEL_UNSUPPORTED', this.#ask('endpoints', ''), '', '');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeWhenIdle();
  }

  get #where(): string {
    return this.name === null ? '' : ` in ${this.name}`;
  }

  #ask(operation: string, object: string): Asked {
    const asked = { operation, object: `${object}${this.#where}` };
    if (this.#closed) throw closed(asked);
    return asked;
  }

  async #use<T>(asked: Asked, work: (asked: Asked) => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await work(asked);
    } finally {
      this.#running--;
      this.#closeWhenIdle();
    }
  }

  #program(asked: Asked, program: Program, args: readonly string[], input?: string) {
    return this.#use(asked, () => run(this.#fd, program, args, input));
  }

  async #run(asked: Asked, program: Program, args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#program(asked, program, args);
    if (code !== 0) throw refused(asked, errnoInText(stderr), stderr.trim());
  }

  #closeWhenIdle(): void {
    if (this.#closed && this.#running === 0 && this.#fd !== null) closeSync(this.#fd);
  }
}
