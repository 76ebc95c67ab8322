/** Tracked connections, through ctnetlink. */
import { ipText } from '../address.ts';
import type { Flow, FlowTuple } from '../contract.ts';
import { type Asked, refused } from '../errors.ts';
import { attributes, type Message } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const AF_UNSPEC = 0;
const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const CT_NEW = NFNL_SUBSYS_CTNETLINK | 0;
const CT_GET = NFNL_SUBSYS_CTNETLINK | 1;
const CT_DELETE = NFNL_SUBSYS_CTNETLINK | 2;

const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, ZONE: 18 } as const;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
/** CTA_IP_V4_SRC and V6_SRC; V4_DST and V6_DST. */
const CTA_IP = { SOURCE: [1, 3], DESTINATION: [2, 4] } as const;
const CTA_PROTO = { NUM: 1, SOURCE_PORT: 2, DESTINATION_PORT: 3 } as const;

/** What names one connection in a deletion. */
interface Connection {
  readonly family: number;
  readonly attributes: readonly (readonly [type: number, bytes: Buffer])[];
}

/** Ends the connections of which `ends` says so; of both IP versions. Returns how many. */
export async function endConnections(
  socket: NetlinkSocket,
  ends: (flow: Flow) => boolean,
  asked: Asked,
): Promise<number> {
  const all = Buffer.alloc(4);
  all[0] = AF_UNSPEC;
  const connections = await socket.dump(CT_GET, all, asked, (message) => matching(message, ends));
  if (connections.length === 0) return 0;
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
        writer.raw(Buffer.of(connection.family, 0, 0, 0));
        for (const [type, value] of connection.attributes) writer.attribute(type, value);
      });
      size++;
      if (batch.full) await flush();
    }
    await flush();
    return deleted;
  });
}

function matching({ type, payload }: Message, ends: (flow: Flow) => boolean): Connection | undefined {
  if (type !== CT_NEW) return undefined;
  const found = attributes(payload, 4);
  const original = tuple(found.get(CTA.TUPLE_ORIG));
  const reply = tuple(found.get(CTA.TUPLE_REPLY));
  if (original === undefined || reply === undefined) return undefined;
  if (!ends({ protocol: original.protocol, original: original.ends, reply: reply.ends })) return undefined;
  const kept: [number, Buffer][] = [];
  for (const key of [CTA.TUPLE_ORIG, CTA.ZONE, CTA.ID]) {
    const value = found.get(key);
    if (value !== undefined) kept.push([key === CTA.TUPLE_ORIG ? key | 0x8000 : key, Buffer.from(value)]);
  }
  return { family: payload[0] ?? AF_UNSPEC, attributes: kept };
}

function tuple(nested: Buffer | undefined): { protocol: number; ends: FlowTuple } | undefined {
  if (nested === undefined) return undefined;
  const parts = attributes(nested);
  const [ip, proto] = [parts.get(CTA_TUPLE.IP), parts.get(CTA_TUPLE.PROTO)];
  if (ip === undefined || proto === undefined) return undefined;
  const [addresses, ports] = [attributes(ip), attributes(proto)];
  const source = addresses.get(CTA_IP.SOURCE[0]) ?? addresses.get(CTA_IP.SOURCE[1]);
  const destination = addresses.get(CTA_IP.DESTINATION[0]) ?? addresses.get(CTA_IP.DESTINATION[1]);
  if (source === undefined || destination === undefined) return undefined;
  const sourcePort = ports.get(CTA_PROTO.SOURCE_PORT)?.readUInt16BE();
  const destinationPort = ports.get(CTA_PROTO.DESTINATION_PORT)?.readUInt16BE();
  return {
    protocol: ports.get(CTA_PROTO.NUM)?.[0] ?? 0,
    ends: {
      source: ipText(source),
      destination: ipText(destination),
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(destinationPort === undefined ? {} : { destinationPort }),
    },
  };
}
