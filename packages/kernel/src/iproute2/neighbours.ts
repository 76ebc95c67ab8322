/** Neighbours as `ip neighbour` shows them. */
import { canonicalIp } from '@astara/model/ip.ts';
import type { ProxyNeighbour } from '../contract.ts';
import { type Asked, errnoInText, refused } from '../errors.ts';
import { poll } from '../poll.ts';
import { run } from './programs.ts';

interface IpNeighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state?: readonly string[];
}

export async function resolve(
  netns: number | null,
  ifname: string,
  address: string,
  signal: AbortSignal,
  asked: Asked,
): Promise<string | undefined> {
  const where = [address, 'dev', ifname];
  if (!isFixed(await look(netns, where, asked))) {
    // Refused when its MAC is not known; then it is made, or, having failed, tried again, by being used.
    await run(netns, 'ip', ['neighbour', 'change', ...where, 'nud', 'probe']);
    const { code, stderr } = await run(netns, 'ip', ['neighbour', 'replace', ...where, 'use', 'nud', 'none']);
    if (code !== 0) throw refused(asked, errnoInText(stderr), stderr.trim());
  }
  const answer = await poll(async () => {
    const entry = await look(netns, where, asked);
    if (entry?.state?.includes('FAILED') === true) return { mac: undefined };
    return entry?.state?.includes('REACHABLE') === true || isFixed(entry) ? { mac: entry?.lladdr } : undefined;
  }, signal);
  return answer?.mac;
}

function isFixed(entry: IpNeighbour | undefined): boolean {
  return entry?.state?.some((state) => state === 'PERMANENT' || state === 'NOARP') ?? false;
}

async function look(netns: number | null, where: readonly string[], asked: Asked): Promise<IpNeighbour | undefined> {
  return (await list(netns, ['show', 'to', ...where, 'nud', 'all'], asked))[0];
}

export async function listProxies(netns: number | null, asked: Asked): Promise<ProxyNeighbour[]> {
  const lists = [await list(netns, ['show', 'proxy'], asked, '-4'), await list(netns, ['show', 'proxy'], asked, '-6')];
  return lists.flat().map(({ dst, dev }) => ({ ifname: dev, address: canonicalIp(dst) }));
}

async function list(netns: number | null, args: readonly string[], asked: Asked, family?: '-4' | '-6') {
  const options = family === undefined ? ['-json'] : ['-json', family];
  const { code, stdout, stderr } = await run(netns, 'ip', [...options, 'neighbour', ...args]);
  if (code !== 0) throw refused(asked, errnoInText(stderr), stderr.trim());
  // Nothing at all for an empty list of some kinds.
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as readonly IpNeighbour[]);
}
