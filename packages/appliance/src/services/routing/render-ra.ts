import type { RaNode } from './nodes.ts';

export function renderRa(nodes: readonly RaNode[]): string {
  return `protocol radv at_ra {\n${nodes.map(network).join('')}}\n`;
}

function network(node: RaNode): string {
  const lines = [
    `max ra interval ${node.maxInterval};`,
    `min delay ${node.minDelay};`,
    `managed ${yes(node.managed)};`,
    `other config ${yes(node.other)};`,
    `default lifetime ${node.routerLifetime};`,
    `default preference ${node.preference};`,
    ...(node.mtu === undefined ? [] : [`link mtu ${node.mtu};`]),
    ...node.prefixes.map(({ prefix, autonomous, valid, preferred }) => {
      const lifetimes = `valid lifetime ${valid}; preferred lifetime ${preferred};`;
      return `prefix ${prefix} { onlink yes; autonomous ${yes(autonomous)}; ${lifetimes} };`;
    }),
    // Without this BIRD also advertises the subnets that have no RA mode.
    'prefix ::/0 { skip yes; };',
    ...node.nameservers.map(({ value, lifetime }) => `rdnss { ns ${value}; lifetime ${lifetime}; };`),
    ...node.searchDomains.map(({ value, lifetime }) => `dnssl { domain "${value}"; lifetime ${lifetime}; };`),
  ];
  return `  interface "${node.ifname}" {\n${lines.map((line) => `    ${line}\n`).join('')}  };\n`;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}
