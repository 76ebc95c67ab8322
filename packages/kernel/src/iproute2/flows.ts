/** What conntrack(8) lists, `-o extended`. */
import { canonicalIp } from '@astara/model/ip.ts';
import type { Flow, FlowTuple } from '../contract.ts';

export function parseFlows(text: string): Flow[] {
  return text.split('\n').flatMap((line) => {
    const protocol = /^ipv[46]\s+\d+\s+\S+\s+(\d+)/.exec(line)?.[1];
    const halves = line
      .split(/(?= src=)/)
      .slice(1)
      .map(tuple);
    const [original, reply] = halves;
    return protocol === undefined || original === undefined || reply === undefined
      ? []
      : [{ protocol: Number(protocol), original, reply }];
  });
}

function tuple(text: string): FlowTuple | undefined {
  const value = (name: string) => new RegExp(` ${name}=(\\S+)`).exec(text)?.[1];
  const [source, destination, sourcePort, destinationPort] = ['src', 'dst', 'sport', 'dport'].map(value);
  if (source === undefined || destination === undefined) return undefined;
  return {
    source: canonicalIp(source),
    destination: canonicalIp(destination),
    ...(sourcePort === undefined ? {} : { sourcePort: Number(sourcePort) }),
    ...(destinationPort === undefined ? {} : { destinationPort: Number(destinationPort) }),
  };
}

/** The options of `conntrack -D`, as a line. Without ports it is all of that protocol between the two. */
export function deletion({ protocol, original }: Flow): string {
  const { source, destination, sourcePort, destinationPort } = original;
  const ports =
    sourcePort === undefined || destinationPort === undefined
      ? ''
      : ` --orig-port-src ${sourcePort} --orig-port-dst ${destinationPort}`;
  const family = source.includes(':') ? 'ipv6' : 'ipv4';
  return `-f ${family} -p ${protocol} --orig-src ${source} --orig-dst ${destination}${ports}\n`;
}
