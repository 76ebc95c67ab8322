import type { ConnectionNode } from './nodes.ts';
import { idOf } from './values.ts';
import type { ViciReply } from './vici-message.ts';

/** What `GET /v2/status` shows of a connection. */
export interface ConnectionStatus {
  readonly id: string;
  /** `up`: all its tunnels are; `partial`: some. */
  readonly status: 'up' | 'partial' | 'connecting' | 'down';
  /** Why it did not come up when it was last tried. */
  readonly error?: string;
  readonly ike?: IkeStatus;
  readonly tunnels: readonly TunnelStatus[];
}

export interface IkeStatus {
  readonly version: string;
  /** charon's, such as `ESTABLISHED`. */
  readonly state: string;
  readonly initiator: boolean;
  readonly local: string;
  readonly peer: string;
  /** RFC 3339; absent before it is established. */
  readonly since?: string;
}

export interface TunnelStatus {
  readonly name: string;
  /** charon's, such as `INSTALLED`. */
  readonly state: string;
  readonly since: string;
  readonly local_cidrs: readonly string[];
  readonly peer_cidrs: readonly string[];
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly packets_in: number;
  readonly packets_out: number;
}

/** An IKE_SA as `list-sas` tells it. */
export interface Sa {
  /** Of the connection. */
  readonly name: string;
  readonly ike: IkeStatus;
  readonly tunnels: readonly TunnelStatus[];
}

/** `now`: ms since 1970; ages are told in seconds. */
export function sasOf(events: readonly ViciReply[], now: number): Sa[] {
  return events.flatMap((event) =>
    Object.entries(event).flatMap(([name, sa]) => {
      if (!isSection(sa)) return [];
      const children = isSection(sa['child-sas']) ? Object.values(sa['child-sas']) : [];
      return [{ name, ike: ikeOf(sa, now), tunnels: children.filter(isSection).map((child) => tunnelOf(child, now)) }];
    }),
  );
}

export function statusOf(node: ConnectionNode, sas: readonly Sa[], error: string | undefined): ConnectionStatus {
  const own = sas.filter(({ name }) => idOf(name) === node.id);
  const tunnels = own.flatMap((sa) => sa.tunnels);
  const up = node.tunnels.filter(({ name }) => tunnels.some((tunnel) => tunnel.name === name && isUp(tunnel)));
  const ike = (own.find((sa) => sa.ike.state === 'ESTABLISHED') ?? own[0])?.ike;
  const all = up.length === node.tunnels.length;
  const status = all ? 'up' : up.length > 0 ? 'partial' : ike !== undefined ? 'connecting' : 'down';
  return {
    id: node.id,
    status,
    ...(error === undefined || all ? {} : { error }),
    ...(ike === undefined ? {} : { ike }),
    tunnels,
  };
}

/** While its keys are made anew a tunnel carries traffic. */
export function isUp({ state }: TunnelStatus): boolean {
  return state === 'INSTALLED' || state === 'REKEYING' || state === 'REKEYED';
}

function ikeOf(sa: ViciReply, now: number): IkeStatus {
  const established = text(sa.established);
  return {
    version: text(sa.version),
    state: text(sa.state),
    initiator: sa.initiator === 'yes',
    local: text(sa['local-host']),
    peer: text(sa['remote-host']),
    ...(established === '' ? {} : { since: ago(established, now) }),
  };
}

function tunnelOf(child: ViciReply, now: number): TunnelStatus {
  return {
    name: text(child.name),
    state: text(child.state),
    since: ago(text(child['install-time']), now),
    local_cidrs: items(child['local-ts']),
    peer_cidrs: items(child['remote-ts']),
    bytes_in: Number(text(child['bytes-in'])),
    bytes_out: Number(text(child['bytes-out'])),
    packets_in: Number(text(child['packets-in'])),
    packets_out: Number(text(child['packets-out'])),
  };
}

function ago(seconds: string, now: number): string {
  return new Date(Math.round(now / 1000 - Number(seconds)) * 1000).toISOString();
}

function isSection(value: ViciReply[string]): value is ViciReply {
  return typeof value === 'object' && !Array.isArray(value);
}

function text(value: ViciReply[string]): string {
  return typeof value === 'string' ? value : '';
}

function items(value: ViciReply[string]): readonly string[] {
  return Array.isArray(value) ? value : [];
}
