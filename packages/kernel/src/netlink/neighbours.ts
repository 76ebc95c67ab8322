/** Neighbours: who has an address on a segment, and for whom we answer (rtnetlink(7), struct ndmsg). */
import { ipBytes, ipText, macText } from '../address.ts';
import type { ProxyNeighbour } from '../contract.ts';
import { type Asked, refused } from '../errors.ts';
import { poll } from '../poll.ts';
import { attributes, type MessageWriter, NLM_F_CREATE } from './message.ts';
import { AF_INET, AF_INET6, findIndex, listLinks } from './rtnetlink-list.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NDMSG = 12;

const NTF_USE = 1;
export const NTF_PROXY = 8;

const NUD = { REACHABLE: 0x02, PROBE: 0x10, FAILED: 0x20, NOARP: 0x40, PERMANENT: 0x80 } as const;

export function writeNeighbour(
  writer: MessageWriter,
  index: number,
  address: string,
  { state = 0, flags = 0 }: { state?: number; flags?: number },
): void {
  const bytes = ipBytes(address);
  const fixed = Buffer.alloc(NDMSG);
  fixed[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  fixed.writeInt32LE(index, 4);
  fixed.writeUInt16LE(state, 8);
  fixed[10] = flags;
  writer.raw(fixed).attribute(NDA.DST, bytes);
}

export async function resolve(
  socket: NetlinkSocket,
  ifname: string,
  address: string,
  signal: AbortSignal,
  asked: Asked,
): Promise<string | undefined> {
  const index = await socket.exclusive(async () => {
    const found = findIndex(socket, socket.batch(), ifname, asked);
    if (found === undefined) throw refused(asked, 'ENODEV', `no interface ${ifname}`);
    if (!isFixed(look(socket, found, address, asked)?.state)) solicit(socket, found, address, asked);
    return found;
  });
  const answer = await poll(
    () =>
      socket.exclusive(async () => {
        const { state = 0, mac } = look(socket, index, address, asked) ?? {};
        if ((state & NUD.FAILED) !== 0) return { mac: undefined };
        return (state & NUD.REACHABLE) !== 0 || isFixed(state) ? { mac } : undefined;
      }),
    signal,
  );
  return answer?.mac;
}

/** Set by hand, or on an interface without link-layer addresses. */
function isFixed(state = 0): boolean {
  return (state & (NUD.PERMANENT | NUD.NOARP)) !== 0;
}

function look(socket: NetlinkSocket, index: number, address: string, asked: Asked) {
  let found: { state: number; mac: string | undefined } | undefined;
  const batch = socket.batch();
  batch.add(RTM_GETNEIGH, 0, (writer) => writeNeighbour(writer, index, address, {}));
  const refusals = socket.ask(batch, asked, ({ type, payload }) => {
    if (type !== RTM_NEWNEIGH) return;
    const lladdr = attributes(payload, NDMSG).get(NDA.LLADDR);
    found = { state: payload.readUInt16LE(8), mac: lladdr?.length === 6 ? macText(lladdr) : undefined };
  });
  for (const { errno, detail } of refusals) if (errno !== 'ENOENT') throw refused(asked, errno, detail);
  return found;
}

/**
 * An entry whose address is known is to be confirmed (refused when there is none: then it is made, or, having failed, tried
 * again, by being used).
 */
function solicit(socket: NetlinkSocket, index: number, address: string, asked: Asked): void {
  const confirm = socket.batch();
  confirm.add(RTM_NEWNEIGH, 0, (writer) => writeNeighbour(writer, index, address, { state: NUD.PROBE }));
  for (const { errno, detail } of socket.ask(confirm, asked, () => {})) {
    if (errno !== 'ENOENT' && errno !== 'EINVAL') throw refused(asked, errno, detail);
  }
  const use = socket.batch();
  use.add(RTM_NEWNEIGH, NLM_F_CREATE, (writer) => writeNeighbour(writer, index, address, { flags: NTF_USE }));
  for (const { errno, detail } of socket.ask(use, asked, () => {})) throw refused(asked, errno, detail);
}

export async function listProxies(socket: NetlinkSocket, asked: Asked): Promise<ProxyNeighbour[]> {
  const names = new Map((await listLinks(socket, asked)).map((link) => [link.index, link.ifname]));
  const request = Buffer.alloc(NDMSG);
  request[10] = NTF_PROXY;
  return socket.dump(RTM_GETNEIGH, request, asked, ({ type, payload }) => {
    if (type !== RTM_NEWNEIGH || ((payload[10] ?? 0) & NTF_PROXY) === 0) return undefined;
    const address = attributes(payload, NDMSG).get(NDA.DST);
    const ifname = names.get(payload.readInt32LE(4));
    return address === undefined || ifname === undefined ? undefined : { ifname, address: ipText(address) };
  });
}
