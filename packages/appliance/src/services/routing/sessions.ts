import type { BgpNode, NeighborNode } from './nodes.ts';
import { protocolName } from './render-bgp.ts';

/** A BGP session as `GET /v2/status` tells it. */
export interface Session {
  /** {@link neighborName} */
  readonly neighbor: string;
  readonly asn: number;
  /** RFC 4271 §8.2.2, in lower case; `down`: BIRD does not try; `missing`: BIRD does not know it. */
  readonly state: string;
  /** RFC 3339, UTC; of the state. */
  readonly since?: string;
  /** Routes taken and told. */
  readonly prefixes_received?: number;
  readonly prefixes_exported?: number;
  /** RFC 5880 §6.8.1, in lower case; absent when BFD is not asked for. */
  readonly bfd?: { readonly state: string; readonly since?: string };
  /** Why it is not established, or was not the last time. */
  readonly last_error?: string;
}

interface Protocol {
  readonly since: string;
  readonly details: ReadonlyMap<string, string>;
}

/** As people know it: the address, for a link-local one with `%interface`. */
export function neighborName({ address, ifname }: NeighborNode): string {
  return ifname === undefined ? address : `${address}%${ifname}`;
}

/** From the lines of `show protocols all` and `show bfd sessions`. Pure. */
export function readSessions(bgp: BgpNode, protocols: readonly string[], bfd: readonly string[]): readonly Session[] {
  const found = parseProtocols(protocols);
  const watched = parseBfd(bfd);
  return bgp.neighbors.map((node) => session(node, found.get(protocolName(node)), watched));
}

function session(node: NeighborNode, found: Protocol | undefined, watched: ReadonlyMap<string, Protocol>): Session {
  const { address, asn } = node;
  const neighbor = neighborName(node);
  const watch = node.bfd ? (watched.get(neighbor) ?? watched.get(address)) : undefined;
  const bfd = node.bfd ? { bfd: { state: 'down', ...(watch === undefined ? {} : told(watch, 'state')) } } : {};
  if (found === undefined) return { neighbor, asn, state: 'missing', ...bfd };
  const { details } = found;
  const routes = /(\d+) imported,(?: \d+ filtered,)? (\d+) exported/.exec(details.get('Routes') ?? '');
  const error = details.get('Last error') ?? details.get('Message');
  return {
    neighbor,
    asn,
    ...told(found, 'BGP state'),
    prefixes_received: Number(routes?.[1] ?? 0),
    prefixes_exported: Number(routes?.[2] ?? 0),
    ...bfd,
    ...(error === undefined ? {} : { last_error: error }),
  };
}

function told({ since, details }: Protocol, field: string): { readonly state: string; readonly since: string } {
  const state = (details.get(field) ?? 'down').toLowerCase();
  return { state, since };
}

/** Lines `name BGP table state since info`, each followed by indented `field: value`. */
function parseProtocols(lines: readonly string[]): ReadonlyMap<string, Protocol> {
  const found = new Map<string, Protocol>();
  let details = new Map<string, string>();
  for (const line of lines) {
    const head = /^(\S+) +BGP +\S+ +\S+ +(\d\S*)/.exec(line);
    if (head !== null) {
      details = new Map();
      found.set(head[1] ?? '', { since: utc(head[2]), details });
      continue;
    }
    const detail = /^\s+([A-Z][\w ]*): +(\S.*)$/.exec(line);
    if (detail !== null && !details.has(detail[1] ?? '')) details.set(detail[1] ?? '', detail[2]?.trim() ?? '');
  }
  return found;
}

/** Lines `address interface state since interval timeout`; by address, and by address%interface. */
function parseBfd(lines: readonly string[]): ReadonlyMap<string, Protocol> {
  const found = new Map<string, Protocol>();
  for (const line of lines) {
    const match = /^([0-9a-f.:]+) +(\S+) +(Up|Down|Init|AdminDown) +(\d\S*)/i.exec(line);
    if (match === null) continue;
    const [, address = '', ifname, state = '', since] = match;
    const entry = { since: utc(since), details: new Map([['state', state]]) };
    found.set(address, entry).set(`${address}%${ifname}`, entry);
  }
  return found;
}

/** From strftime's `%FT%T%z`. */
function utc(text = ''): string {
  return new Date(text.replace(/(\d\d)$/, ':$1')).toISOString();
}
