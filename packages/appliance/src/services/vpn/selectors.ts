import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { VpnConnection } from '@astara/model/appliance/vpn.ts';
import { boundsOf, networkOf } from '@astara/model/ip.ts';
import { type Ip, ip, type Prefix, prefix } from '../../values.ts';

/** Traffic that belongs into a tunnel: from `local` to `peer` out, from `peer` to `local` in. */
export interface Selector {
  readonly local: Prefix;
  readonly peer: Prefix;
}

/** A selector with its bounds: first and last address of both sides. */
interface Area extends Selector {
  readonly version: 4 | 6;
  readonly from: Range;
  readonly to: Range;
}
interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** Connections that can be had at once, in their order, each with its place in the configuration. */
export function vpnConnections(
  config: ApplianceConfig,
  warn: (text: string) => void = () => undefined,
): readonly { readonly connection: VpnConnection; readonly field: string }[] {
  return accepted(config, warn).map(({ connection, field }) => ({ connection, field }));
}

/**
 * For the firewall: what goes through tunnels. None is inside another, and none crosses another, so that they can be elements of
 * one set of intervals.
 */
export function vpnSelectors(config: ApplianceConfig): readonly Selector[] {
  const all = accepted(config, () => undefined).flatMap(({ areas }) => areas);
  return outermost(all).map(({ local, peer }) => ({ local, peer }));
}

/** For the firewall: who may speak IKE and ESP with us; `any` when a connection takes any peer. */
export function vpnPeers(config: ApplianceConfig): readonly Ip[] | 'any' {
  const peers = new Set<Ip>();
  for (const { connection, field } of vpnConnections(config)) {
    if (connection.peer_address === undefined) return 'any';
    peers.add(ip(connection.peer_address, `${field}/peer_address`));
  }
  return [...peers];
}

function accepted(config: ApplianceConfig, warn: (text: string) => void) {
  const result: { connection: VpnConnection; field: string; areas: readonly Area[] }[] = [];
  config.vpn?.connections.forEach((connection, index) => {
    if (connection.admin_state_up === false) return;
    const field = `/vpn/connections/${index}`;
    const areas = outermost(areasOf(connection, field));
    const inside = areas.find(({ from, to }) => overlap(from, to));
    const crossed = areas.find((area) => result.some((other) => other.areas.some((given) => cross(area, given))));
    if (connection.ipsec_policy.transform_protocol === 'ah-esp') {
      warn(`${field}: left out, because strongSwan knows no AH around ESP`);
    } else if (inside !== undefined) {
      warn(`${field}: left out, because ${inside.peer} of the peer overlaps ${inside.local} of ours`);
    } else if (crossed !== undefined) {
      const { local, peer } = crossed;
      warn(
        `${field}: left out, because of traffic from ${local} to ${peer} another connection takes some, and some not`,
      );
    } else {
      result.push({ connection, field, areas });
    }
  });
  return result;
}

function areasOf({ local_cidrs, peer_cidrs }: VpnConnection, field: string): Area[] {
  const locals = local_cidrs.map((cidr, index) => side(cidr, `${field}/local_cidrs/${index}`));
  const peers = peer_cidrs.map((cidr, index) => side(cidr, `${field}/peer_cidrs/${index}`));
  return locals.flatMap((local) =>
    peers
      .filter(({ version }) => version === local.version)
      .map((peer) => ({
        local: local.text,
        peer: peer.text,
        version: local.version,
        from: local.range,
        to: peer.range,
      })),
  );
}

function side(cidr: string, field: string): { text: Prefix; version: 4 | 6; range: Range } {
  const text = networkOf(prefix(cidr, field)) as Prefix;
  return { text, version: text.includes(':') ? 6 : 4, range: boundsOf(text) };
}

/** Without those that lie in another one. */
function outermost(areas: readonly Area[]): Area[] {
  const kept: Area[] = [];
  for (const area of areas) {
    if (kept.some((other) => within(area, other))) continue;
    const rest = kept.filter((other) => !within(other, area));
    kept.splice(0, kept.length, ...rest, area);
  }
  return kept;
}

function within(a: Area, b: Area): boolean {
  return a.version === b.version && inside(a.from, b.from) && inside(a.to, b.to);
}

/** Prefixes are apart or one is in the other; so two areas that overlap without one in the other cross. */
function cross(a: Area, b: Area): boolean {
  const both = a.version === b.version && overlap(a.from, b.from) && overlap(a.to, b.to);
  return both && !within(a, b) && !within(b, a);
}

function inside(a: Range, b: Range): boolean {
  return b.first <= a.first && a.last <= b.last;
}

function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}
