/** Tracked connections, through ctnetlink. */
import { ipBytes } from '../address.ts';
import { type Asked, refused } from '../errors.ts';
import { attributes, type Message } from './message.ts';
import { AF_INET, AF_INET6 } from './rtnetlink-list.ts';
import type { NetlinkSocket } from './socket.ts';

const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const CT_NEW = NFNL_SUBSYS_CTNETLINK | 0;
const CT_GET = NFNL_SUBSYS_CTNETLINK | 1;
const CT_DELETE = NFNL_SUBSYS_CTNETLINK | 2;

const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, ZONE: 18 } as const;
const CTA_TUPLE_IP = 1;
/** CTA_IP_V4_SRC, V4_DST, V6_SRC, V6_DST */
const CTA_IP_TYPES = [1, 2, 3, 4];

/** What names one connection in a deletion. */
interface Connection {
  readonly attributes: readonly (readonly [type: number, bytes: Buffer])[];
}

/**
 * Ends the connections that have `address` as source or destination in their original or reply direction: with a
 * floating IP that is both those that came in to it (original destination) and those that went out as it (reply
 * destination). Returns how many.
 */
export async function flushConntrack(socket: NetlinkSocket, address: string, asked: Asked): Promise<number> {
  const bytes = ipBytes(address);
  const request = Buffer.alloc(4);
  request[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  const connections = await socket.dump(CT_GET, request, asked, (message) => matching(message, bytes));
  return socket.exclusive(async () => {
    let deleted = 0;
    let batch = socket.batch();
    let size = 0;
    const flush = async () => {
      const refusals = await socket.send(batch, asked);
      for (const { errno, detail } of refusals) {
        // Ended by itself meanwhile.
        if (errno !== 'ENOENT') throw refused(asked, errno, detail);
      }
      deleted += size - refusals.length;
      batch = socket.batch();
      size = 0;
    };
    for (const connection of connections) {
      batch.add(CT_DELETE, 0, (writer) => {
        writer.raw(request);
        for (const [type, value] of connection.attributes) writer.attribute(type, value);
      });
      size++;
      if (batch.full) await flush();
    }
    await flush();
    return deleted;
  });
}

function matching({ type, payload }: Message, address: Buffer): Connection | undefined {
  if (type !== CT_NEW) return undefined;
  const found = attributes(payload, 4);
  const has = [CTA.TUPLE_ORIG, CTA.TUPLE_REPLY].some((direction) => {
    const tuple = found.get(direction);
    const ip = tuple === undefined ? undefined : attributes(tuple).get(CTA_TUPLE_IP);
    if (ip === undefined) return false;
    const ends = attributes(ip);
    return CTA_IP_TYPES.some((end) => ends.get(end)?.equals(address) ?? false);
  });
  if (!has) return undefined;
  const kept: [number, Buffer][] = [];
  for (const key of [CTA.TUPLE_ORIG, CTA.ZONE, CTA.ID]) {
    const value = found.get(key);
    if (value !== undefined) kept.push([key === CTA.TUPLE_ORIG ? key | 0x8000 : key, Buffer.from(value)]);
  }
  return { attributes: kept };
}
