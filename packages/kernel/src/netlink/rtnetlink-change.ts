/** {@link NetOperation}s as rtnetlink messages, many to a datagram. */
import { closeSync } from 'node:fs';
import { parseCidr } from '@astara/model/ip.ts';
import { ipBytes, macBytes } from '../address.ts';
import { type NetOperation, type NextHop, ROUTE_PROTOCOL, type RouteTarget } from '../contract.ts';
import { type Asked, KernelError, refused } from '../errors.ts';
import { checkOperation, describe } from '../input.ts';
import { openNetnsFile } from '../netns-dir.ts';
import { type MessageWriter, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './message.ts';
import { NTF_PROXY, writeNeighbour } from './neighbours.ts';
import { AF_INET, AF_INET6, findIndex, IFINFOMSG, RTMSG } from './rtnetlink-list.ts';
import type { Batch, NetlinkSocket } from './socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;

const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINKINFO: 18, NET_NS_FD: 28 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const VETH_INFO_PEER = 1;
const IFF_UP = 1;

const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const IFA_F_NODAD = 2;
const RT_SCOPE = { UNIVERSE: 0, LINK: 253, HOST: 254, NOWHERE: 255 } as const;

const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, MULTIPATH: 9, VIA: 18 } as const;
const RT_TABLE_MAIN = 254;
const RTN_UNICAST = 1;
const RTNH_F_ONLINK = 4;

/** Refusals that mean "absent already"; ENXIO: the interface has no IPv6 at all. */
const ABSENT: Readonly<Partial<Record<NetOperation['op'], readonly string[]>>> = {
  'link-delete': ['ENODEV'],
  'address-delete': ['EADDRNOTAVAIL', 'ENODEV', 'ENXIO'],
  'route-delete': ['ESRCH', 'ENODEV'],
  'proxy-delete': ['ENOENT', 'ENODEV'],
};

type LinkSet = Extract<NetOperation, { op: 'link-set' }>;

/** Applies the operations in order; `where` ends the object's name in errors, e.g. `in astara-1`. */
export async function change(socket: NetlinkSocket, operations: readonly NetOperation[], where: string): Promise<void> {
  for (const operation of operations) checkOperation(operation);
  await socket.exclusive(async () => {
    const run = new Change(socket, where);
    try {
      for (const operation of operations) await run.add(operation);
      await run.flush();
    } catch (error) {
      // What came before an operation that could not even be sent; if that fails, it was first.
      await run.flush();
      throw error;
    } finally {
      run.closePeers();
    }
  });
}

/** For a new namespace, while the thread is in it. */
export function bringLoopbackUp(socket: NetlinkSocket, asked: Asked): void {
  const batch = socket.batch();
  batch.add(RTM_SETLINK, 0, (writer) => writeLinkSet(writer, { ifname: 'lo', up: true }));
  for (const { errno, detail } of socket.ask(batch, asked, () => {})) throw refused(asked, errno, detail);
}

class Change {
  readonly #socket: NetlinkSocket;
  readonly #where: string;
  readonly #indexes = new Map<string, number>();
  readonly #peerFds = new Map<string, number>();
  #sent = new Map<number, NetOperation>();
  #batch: Batch;

  constructor(socket: NetlinkSocket, where: string) {
    this.#socket = socket;
    this.#where = where;
    this.#batch = socket.batch();
  }

  async add(operation: NetOperation): Promise<void> {
    if (this.#batch.full) await this.flush();
    const sequence = await this.#encode(operation);
    if (sequence !== undefined) this.#sent.set(sequence, operation);
  }

  /** Sends what is waiting; throws for the first operation that was refused. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    const sent = this.#sent;
    if (batch.empty) return;
    this.#batch = this.#socket.batch();
    this.#sent = new Map();
    const asked = { operation: 'change', object: `${sent.size} operations${this.#where}` };
    for (const { sequence, errno, detail } of await this.#socket.send(batch, asked)) {
      const operation = sent.get(sequence);
      if (operation !== undefined && ABSENT[operation.op]?.includes(errno)) continue;
      throw refused(operation === undefined ? asked : this.#asked(operation), errno, detail);
    }
  }

  closePeers(): void {
    for (const fd of this.#peerFds.values()) closeSync(fd);
  }

  #asked(operation: NetOperation): Asked {
    const asked = describe(operation);
    return { ...asked, object: asked.object + this.#where };
  }

  /** Puts the operation into the batch; undefined when there is nothing to do. */
  async #encode(operation: NetOperation): Promise<number | undefined> {
    switch (operation.op) {
      case 'veth-add':
        this.#indexes.delete(operation.name);
        return this.#vethAdd(operation);
      case 'link-set':
        return this.#batch.add(RTM_SETLINK, 0, (writer) => writeLinkSet(writer, operation));
      case 'link-delete':
        this.#indexes.delete(operation.ifname);
        return this.#batch.add(RTM_DELLINK, 0, (writer) =>
          writer.raw(Buffer.alloc(IFINFOMSG)).string(IFLA.IFNAME, operation.ifname),
        );
      case 'address-add':
      case 'address-delete': {
        const index = await this.#index(operation, operation.ifname);
        if (index === undefined) return undefined;
        const adds = operation.op === 'address-add';
        return this.#batch.add(adds ? RTM_NEWADDR : RTM_DELADDR, adds ? NLM_F_CREATE | NLM_F_REPLACE : 0, (writer) =>
          writeAddress(writer, index, operation.cidr, adds),
        );
      }
      case 'route-replace':
      case 'route-delete':
        return this.#route(operation);
      case 'proxy-add':
      case 'proxy-delete': {
        const index = await this.#index(operation, operation.ifname);
        if (index === undefined) return undefined;
        const adds = operation.op === 'proxy-add';
        return this.#batch.add(adds ? RTM_NEWNEIGH : RTM_DELNEIGH, adds ? NLM_F_CREATE : 0, (writer) =>
          writeNeighbour(writer, index, operation.address, { flags: NTF_PROXY }),
        );
      }
    }
  }

  async #route(operation: Extract<NetOperation, { op: 'route-replace' | 'route-delete' }>) {
    const adds = operation.op === 'route-replace';
    const indexes = new Map<string, number>();
    for (const { ifname } of [operation, ...(adds ? (operation.hops ?? []) : [])]) {
      if (ifname === undefined) continue;
      const index = await this.#index(operation, ifname);
      if (index === undefined) return undefined;
      indexes.set(ifname, index);
    }
    return this.#batch.add(adds ? RTM_NEWROUTE : RTM_DELROUTE, adds ? NLM_F_CREATE | NLM_F_REPLACE : 0, (writer) =>
      writeRoute(writer, operation, indexes, adds),
    );
  }

  #vethAdd(operation: Extract<NetOperation, { op: 'veth-add' }>): number {
    const { name, mtu, peer } = operation;
    const peerFd = peer.netns === null ? undefined : this.#peerFd(operation, peer.netns);
    return this.#batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, (writer) => {
      writer.raw(Buffer.alloc(IFINFOMSG)).string(IFLA.IFNAME, name).u32(IFLA.MTU, mtu);
      writer.nest(IFLA.LINKINFO, () => {
        writer.string(IFLA_INFO.KIND, 'veth').nest(IFLA_INFO.DATA, () => {
          writer.nest(VETH_INFO_PEER, () => {
            writer.raw(Buffer.alloc(IFINFOMSG)).string(IFLA.IFNAME, peer.name).u32(IFLA.MTU, mtu);
            writer.attribute(IFLA.ADDRESS, macBytes(peer.mac));
            if (peerFd !== undefined) writer.u32(IFLA.NET_NS_FD, peerFd);
          });
        });
      });
    });
  }

  #peerFd(operation: NetOperation, name: string): number {
    const known = this.#peerFds.get(name);
    if (known !== undefined) return known;
    try {
      const fd = openNetnsFile(name);
      this.#peerFds.set(name, fd);
      return fd;
    } catch (error) {
      throw error instanceof KernelError
        ? refused(this.#asked(operation), error.errno, 'no such namespace', error)
        : error;
    }
  }

  /** Index of the interface; undefined when it is absent and so is what the operation would delete. */
  async #index(operation: NetOperation, ifname: string): Promise<number | undefined> {
    const known = this.#indexes.get(ifname);
    if (known !== undefined) return known;
    // The interface may be made, or made anew, by what waits in the batch.
    await this.flush();
    const index = findIndex(this.#socket, this.#socket.batch(), ifname, this.#asked(operation));
    if (index !== undefined) this.#indexes.set(ifname, index);
    else if (!ABSENT[operation.op]?.includes('ENODEV'))
      throw refused(this.#asked(operation), 'ENODEV', `no interface ${ifname}`);
    return index;
  }
}

function writeLinkSet(writer: MessageWriter, { ifname, up, mtu, mac }: Omit<LinkSet, 'op'>): void {
  const fixed = Buffer.alloc(IFINFOMSG);
  if (up !== undefined) {
    fixed.writeUInt32LE(up ? IFF_UP : 0, 8);
    fixed.writeUInt32LE(IFF_UP, 12);
  }
  writer.raw(fixed).string(IFLA.IFNAME, ifname);
  if (mtu !== undefined) writer.u32(IFLA.MTU, mtu);
  if (mac !== undefined) writer.attribute(IFLA.ADDRESS, macBytes(mac));
}

function writeAddress(writer: MessageWriter, index: number, cidr: string, adds: boolean): void {
  const { address, prefix, version } = mustParse(cidr);
  const bytes = ipBytes(address);
  const fixed = Buffer.alloc(8);
  fixed[0] = version === 4 ? AF_INET : AF_INET6;
  fixed[1] = prefix;
  if (version === 4 && bytes[0] === 127) fixed[3] = RT_SCOPE.HOST;
  fixed.writeUInt32LE(index, 4);
  writer.raw(fixed).attribute(IFA.LOCAL, bytes).attribute(IFA.ADDRESS, bytes);
  if (adds && version === 6) writer.u32(IFA.FLAGS, IFA_F_NODAD);
}

function writeRoute(
  writer: MessageWriter,
  target: RouteTarget,
  indexes: ReadonlyMap<string, number>,
  adds: boolean,
): void {
  const { address, prefix, version } = mustParse(target.destination);
  const { via, ifname, hops, metric } = target;
  const fixed = Buffer.alloc(RTMSG);
  fixed[0] = version === 4 ? AF_INET : AF_INET6;
  fixed[1] = prefix;
  fixed[4] = RT_TABLE_MAIN;
  fixed[5] = ROUTE_PROTOCOL;
  const direct = via === undefined && hops === undefined;
  fixed[6] = adds ? (direct ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE) : RT_SCOPE.NOWHERE;
  fixed[7] = adds ? RTN_UNICAST : 0;
  if (target.onlink === true) fixed.writeUInt32LE(RTNH_F_ONLINK, 8);
  writer.raw(fixed);
  if (prefix > 0) writer.attribute(RTA.DST, ipBytes(address));
  if (metric !== undefined) writer.u32(RTA.PRIORITY, metric);
  const index = indexOf(ifname, indexes);
  if (index !== 0) writer.u32(RTA.OIF, index);
  if (via !== undefined) writer.attribute(...gateway(via, version));
  // Of several next hops, those of a route that is deleted may be named in any other order, or have changed.
  if (hops !== undefined && adds) {
    writer.attribute(RTA.MULTIPATH, Buffer.concat(hops.map((hop) => nextHop(hop, version, indexes))));
  }
}

/** struct rtnexthop: length u16, flags u8, weight - 1 u8, interface i32; then attributes. */
function nextHop(hop: NextHop, version: 4 | 6, indexes: ReadonlyMap<string, number>): Buffer {
  const [type, bytes] = gateway(hop.via, version);
  const length = 8 + 4 + bytes.length;
  const buffer = Buffer.alloc((length + 3) & ~3);
  buffer.writeUInt16LE(length, 0);
  buffer[2] = hop.onlink === true ? RTNH_F_ONLINK : 0;
  buffer[3] = (hop.weight ?? 1) - 1;
  buffer.writeInt32LE(indexOf(hop.ifname, indexes), 4);
  buffer.writeUInt16LE(4 + bytes.length, 8);
  buffer.writeUInt16LE(type, 10);
  bytes.copy(buffer, 12);
  return buffer;
}

/** 0: the kernel finds the interface by the next hop. */
function indexOf(ifname: string | undefined, indexes: ReadonlyMap<string, number>): number {
  return ifname === undefined ? 0 : (indexes.get(ifname) ?? 0);
}

function gateway(via: string, version: 4 | 6): [type: number, bytes: Buffer] {
  const bytes = ipBytes(via);
  if (version === 6 || bytes.length === 4) return [RTA.GATEWAY, bytes];
  return [RTA.VIA, Buffer.concat([Buffer.from([AF_INET6, 0]), bytes])];
}

function mustParse(cidr: string) {
  const parsed = parseCidr(cidr);
  // checkOperation() has seen it.
  if (parsed === undefined) throw new TypeError(`not a CIDR: ${cidr}`);
  return parsed;
}
