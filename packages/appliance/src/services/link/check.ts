import type { Link, Netns } from '@astara/kernel/contract.ts';
import type { Check } from '../service.ts';
import { hopsOfDefault } from './routes.ts';
import type { LinkState } from './state.ts';

/** Each interface: there, up, and with somebody at the other end of the wire. */
export function checkPorts({ interfaces }: LinkState, links: readonly Link[]): Check[] {
  const found = new Map(links.map((link) => [link.ifname, link]));
  return [...interfaces.keys()].map((ifname) => {
    const link = found.get(ifname);
    const name = `interface ${ifname} is up`;
    if (link === undefined) return { name, ok: false, detail: `${ifname} does not exist` };
    if (!link.up) return { name, ok: false, detail: `${ifname} is down` };
    return link.running ? { name, ok: true } : { name, ok: false, detail: `${ifname} has no carrier` };
  });
}

/** Each default gateway is asked for its link-layer address. */
export async function checkGateways(netns: Netns, state: LinkState, signal: AbortSignal): Promise<Check[]> {
  return Promise.all(
    hopsOfDefault(state.routes).flatMap(({ via, ifname }) => {
      if (via === undefined || ifname === undefined) return [];
      return checkGateway(netns, via, ifname, signal);
    }),
  );
}

async function checkGateway(netns: Netns, via: string, ifname: string, signal: AbortSignal): Promise<Check> {
  const name = `gateway ${via} answers ${via.includes(':') ? 'ND' : 'ARP'} on ${ifname}`;
  try {
    const mac = await netns.resolve(ifname, via, signal);
    return mac === undefined ? { name, ok: false, detail: 'no answer' } : { name, ok: true, detail: mac };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
