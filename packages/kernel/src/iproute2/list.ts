/** Links, addresses and routes as `ip -json` prints them. */
import { canonicalIp } from '@astara/model/ip.ts';
import { isMadeByKernel } from '../address.ts';
import type { Address, Link, RouteEntry } from '../contract.ts';
import { type Asked, errnoInText, refused } from '../errors.ts';
import { run } from './programs.ts';

interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly address?: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
}

interface IpAddress extends IpLink {
  readonly addr_info: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly scope?: string;
    readonly dynamic?: boolean;
  }[];
}

interface IpHop {
  readonly gateway?: string;
  readonly via?: { readonly host: string };
  readonly dev?: string;
  readonly weight?: number;
}

interface IpRoute extends IpHop {
  readonly type?: string;
  readonly dst: string;
  readonly metric?: number;
  readonly protocol?: string;
  readonly nexthops?: readonly IpHop[];
}

const SCOPES: ReadonlySet<string> = new Set<Address['scope']>(['global', 'site', 'link', 'host']);
const RTPROT_KERNEL = 2;
const RTPROT_BOOT = 3;
const ETHERNET = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** `ip` prints an array, and nothing at all for an empty list of some kinds. */
async function ip<T>(netns: number | null, args: readonly string[], asked: Asked): Promise<readonly T[]> {
  const { code, stdout, stderr } = await run(netns, 'ip', ['-json', ...args]);
  if (code !== 0) {
    // A table that was never used does not exist, and so is empty.
    if (stderr.includes('FIB table does not exist')) return [];
    throw refused(asked, errnoInText(stderr), stderr.trim());
  }
  if (stdout.trim() === '') return [];
  const parsed: unknown = JSON.parse(stdout);
  // Objects without anything in them stand for what a filter left out.
  return Array.isArray(parsed) ? parsed.filter((item) => Object.keys(item).length > 0) : [];
}

export async function listLinks(netns: number | null, asked: Asked): Promise<Link[]> {
  const links = await ip<IpLink>(netns, ['-details', 'link', 'show'], asked);
  const indexes = new Map(links.map((link) => [link.ifname, link.ifindex]));
  return links.map((link) => {
    const up = link.flags.includes('UP');
    const kind = link.linkinfo?.info_kind;
    const master = link.master === undefined ? undefined : indexes.get(link.master);
    return {
      index: link.ifindex,
      ifname: link.ifname,
      mac: link.address !== undefined && ETHERNET.test(link.address) ? link.address : '',
      mtu: link.mtu,
      up,
      // `ip` prints NO-CARRIER for IFF_UP without IFF_RUNNING.
      running: up && !link.flags.includes('NO-CARRIER'),
      ...(kind === undefined ? {} : { kind }),
      ...(master === undefined ? {} : { master }),
    };
  });
}

export async function listAddresses(netns: number | null, asked: Asked): Promise<Address[]> {
  const links = await ip<IpAddress>(netns, ['address', 'show'], asked);
  return links.flatMap(({ ifname, address: mac, addr_info }) =>
    addr_info.flatMap(({ local, prefixlen, scope, dynamic }) => {
      if (local === undefined) return [];
      const address = canonicalIp(local);
      return {
        ifname,
        cidr: `${address}/${prefixlen}`,
        permanent: dynamic !== true && !isMadeByKernel(address, ifname, mac),
        scope: isScope(scope) ? scope : 'global',
      };
    }),
  );
}

function isScope(scope: string | undefined): scope is Address['scope'] {
  return scope !== undefined && SCOPES.has(scope);
}

export async function listRoutes(netns: number | null, asked: Asked): Promise<RouteEntry[]> {
  const found: RouteEntry[] = [];
  for (const family of ['-4', '-6']) {
    const any = family === '-4' ? '0.0.0.0/0' : '::/0';
    const bits = family === '-4' ? 32 : 128;
    for (const route of await ip<IpRoute>(netns, ['-N', family, 'route', 'show', 'table', '254'], asked)) {
      // `ip` leaves out the usual: type unicast, and protocol boot.
      const protocol = route.protocol === undefined ? RTPROT_BOOT : Number(route.protocol);
      if ((route.type !== undefined && route.type !== '1') || protocol === RTPROT_KERNEL) continue;
      const [dst = '', prefix = bits] = route.dst.split('/');
      const destination = route.dst === 'default' ? any : `${canonicalIp(dst)}/${prefix}`;
      for (const hop of route.nexthops ?? [route]) {
        const via = hop.gateway ?? hop.via?.host;
        found.push({
          destination,
          protocol,
          ...(via === undefined ? {} : { via: canonicalIp(via) }),
          ...(hop.dev === undefined ? {} : { ifname: hop.dev }),
          ...(route.metric === undefined ? {} : { metric: route.metric }),
          ...(hop.weight === undefined ? {} : { weight: hop.weight }),
        });
      }
    }
  }
  return found;
}
