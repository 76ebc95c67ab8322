import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Known, PlannedStep } from '../service.ts';
import { known, unknown } from '../service.ts';
import { owners } from './desired.ts';
import type { NetworkNode, RangeNode } from './nodes.ts';
import { renderDhcp, renderDns, type ServerFiles, type ServerPaths } from './render.ts';

/** What the two dnsmasqs of a network have, or shall have. */
export interface NetworkState {
  readonly ifname: string;
  readonly networkId: string;
  readonly dns: ServerFiles;
  readonly dhcp: ServerFiles | undefined;
  /** Address → MAC. */
  readonly owners: ReadonlyMap<string, string>;
  /** What can be asked to see whether they answer. */
  readonly questions: Questions;
  /** Of all that they read: states with one digest are equal. Empty: something else than was wanted. */
  readonly digest: string;
}

export interface Questions {
  readonly ranges: readonly RangeNode[];
  /** Our addresses on the network. */
  readonly resolvers: readonly string[];
  /** A name and its address that our DNS knows; undefined when it knows none. */
  readonly name: { readonly name: string; readonly address: string } | undefined;
}

/** By interface. */
export type DhcpState = ReadonlyMap<string, NetworkState>;

export interface NetworkChange {
  readonly ifname: string;
  /** Undefined: served nothing. */
  readonly from: Known<NetworkState | undefined>;
  readonly to: NetworkState | undefined;
}

export const roles = ['dns', 'dhcp'] as const;
export type Role = (typeof roles)[number];

/** Below the run directory: `dnsmasq/<interface>/<role>/`. */
export function roleDirectory(runDir: string, ifname: string, role: Role): string {
  return join(runDir, 'dnsmasq', ifname, role);
}

/** In `own` dnsmasq may write, and nowhere else. */
export function serverPaths(directory: string): ServerPaths {
  const path = (...names: string[]) => join(directory, ...names);
  return {
    base: path('base'),
    since: path('since'),
    options: path('options'),
    leases: path('own', 'leases'),
    pid: path('own', 'pid'),
  };
}

export function networkState(node: NetworkNode, runDirInside: string): NetworkState {
  const paths = (role: Role) => serverPaths(roleDirectory(runDirInside, node.ifname, role));
  const dns = renderDns(node.dns, paths('dns'));
  const dhcp = node.dhcp && renderDhcp(node.dhcp, paths('dhcp'));
  const first = node.dns.names[0];
  return Object.freeze({
    ifname: node.ifname,
    networkId: node.networkId,
    dns,
    dhcp,
    owners: node.dhcp === undefined ? new Map() : owners(node.dhcp),
    questions: {
      ranges: node.dhcp?.ranges ?? [],
      resolvers: node.dns.own,
      name: first && { name: first.names[0] ?? '', address: first.address },
    },
    digest: digestOf(node.networkId, dns, dhcp),
  });
}

/** One step for each network that differs: what happens to one touches no other. */
export function planNetworks(before: Known<DhcpState>, after: DhcpState): PlannedStep<NetworkChange>[] {
  const former: DhcpState = before.unknown ? new Map() : before.value;
  const gone = [...former.keys()].filter((ifname) => !after.has(ifname));
  return [...gone, ...after.keys()].flatMap((ifname) => {
    const from = former.get(ifname);
    const to = after.get(ifname);
    if (from?.digest === to?.digest) return [];
    const uncertain = before.unknown || from?.digest === '';
    return [
      {
        phase: 'serve' as const,
        what: `${ifname}: ${summary(from, to, uncertain)}`,
        change: { ifname, from: uncertain ? unknown : known(from), to },
        // It may have been done by halves, so that nothing is certain.
        undo: uncertain ? undefined : { ifname, from: unknown, to: from },
        detail: () => (uncertain ? [] : changedLines(from, to)),
      },
    ];
  });
}

function summary(from: NetworkState | undefined, to: NetworkState | undefined, uncertain: boolean): string {
  if (to === undefined) return 'off';
  if (uncertain) return 'as configured';
  if (from === undefined) return 'on';
  const hosts = difference(from.dhcp?.lines ?? [], to.dhcp?.lines ?? []);
  const names = difference(from.dns.lines, to.dns.lines);
  const parts = [
    counted(hosts.added.length, 'host', 'added'),
    counted(hosts.removed.length, 'host', 'removed'),
    counted(names.added.length, 'name', 'added'),
    counted(names.removed.length, 'name', 'removed'),
    from.dhcp?.options === to.dhcp?.options ? '' : 'options',
    from.dhcp?.conf === to.dhcp?.conf ? '' : 'DHCP configuration',
    from.dns.conf === to.dns.conf ? '' : 'DNS configuration',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'configuration' : parts.join(', ');
}

function counted(count: number, what: string, done: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'} ${done}`;
}

function changedLines(from: NetworkState | undefined, to: NetworkState | undefined): string[] {
  const parts = (state: NetworkState | undefined) => [
    linesOf(state?.dns.conf),
    linesOf(state?.dhcp?.conf),
    linesOf(state?.dhcp?.options),
    state?.dhcp?.lines ?? [],
    state?.dns.lines ?? [],
  ];
  const after = parts(to);
  return parts(from).flatMap((before, index) => {
    const { added, removed } = difference(before, after[index] ?? []);
    return [...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
  });
}

function linesOf(text = ''): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** What is in one and not in the other, in their order. */
export function difference(before: readonly string[], after: readonly string[]) {
  const old = new Set(before);
  const added = after.filter((line) => !old.delete(line));
  return { added, removed: [...old] };
}

function digestOf(id: string, dns: ServerFiles, dhcp: ServerFiles | undefined): string {
  const hash = createHash('sha1').update(id);
  for (const files of [dns, dhcp]) {
    hash.update('\0').update(files === undefined ? '-' : `${files.conf}\0${files.options}\0${files.lines.join('\n')}`);
  }
  return hash.digest('hex');
}
