import type { RaNode } from './nodes.ts';

/** A BIRD that advertises and does nothing else: it reads no routes and writes none. */
export function renderRa(nodes: readonly RaNode[]): string {
  return `router id 0.0.0.1;
protocol device {
  scan time 60;
}
protocol radv {
${nodes.map(network).join('')}}
`;
}

function network(node: RaNode): string {
  const lines = [
    'max ra interval 100;',
    'min ra interval 30;',
    `managed ${yes(node.managed)};`,
    `other config ${yes(node.other)};`,
    ...(node.mtu === undefined ? [] : [`link mtu ${node.mtu};`]),
    ...node.prefixes.map(
      ({ prefix, autonomous }) => `prefix ${prefix} { onlink yes; autonomous ${yes(autonomous)}; };`,
    ),
    ...node.nameservers.map((address) => `rdnss ${address};`),
    `dnssl "${node.domain}";`,
  ];
  return `  interface "${node.ifname}" {\n${lines.map((line) => `    ${line}\n`).join('')}  };\n`;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}
