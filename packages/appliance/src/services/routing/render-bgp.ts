import type { Prefix } from '../../values.ts';
import type { BgpNode, NeighborNode } from './nodes.ts';

type Version = 4 | 6;
const versions: readonly Version[] = [4, 6];

/** Seconds that neighbours keep our routes, and we those in the kernel, when BIRD has ended unexpectedly (RFC 4724). */
const RESTART_TIME = 60;

/**
 * The name that BIRD has for a session. By it BIRD finds what it has again in another configuration, so that it depends on the
 * neighbour's address alone.
 */
export function protocolName({ address, ifname }: Pick<NeighborNode, 'address' | 'ifname'>): string {
  const version = address.includes(':') ? 6 : 4;
  const where = ifname === undefined ? '' : `_${Buffer.from(ifname).toString('hex')}`;
  return `bgp${version}_${address.replace(/[.:]/g, '_')}${where}`;
}

/** Host routes to announce: a file of their own, because they are many and change often. */
export function renderFloating(bgp: BgpNode | undefined): string {
  return (bgp?.floating ?? []).map((cidr) => `route ${cidr} blackhole;\n`).join('');
}

/** `floatingPath`: of what {@link renderFloating} has made, as BIRD sees it. */
export function renderBgp(bgp: BgpNode, floatingPath: string): string {
  const { bfd } = bgp;
  const timers = `min rx interval ${bfd.minRx} ms; min tx interval ${bfd.minTx} ms; multiplier ${bfd.multiplier};`;
  return [
    ...nextHops(bgp),
    'protocol static at_floating {\n  ipv4;\n',
    // BIRD wants it on a line of its own.
    `include "${floatingPath}";\n`,
    '}\n',
    ...versions.map((version) => {
      const routes = of(version, bgp.announced).map((cidr) => `  route ${cidr} blackhole;\n`);
      return `protocol static at_announced${version} {\n  ipv${version};\n${routes.join('')}}\n`;
    }),
    `protocol bfd at_bfd {\n  interface "*" { ${timers} };\n  multihop { ${timers} };\n}\n`,
    ...bgp.neighbors.map((node) => neighbor(node, bgp)),
  ].join('');
}

/** Tables that next hops are looked up in: what is attached, and the configured routes. The kernel's own are not read. */
function nextHops({ ways }: BgpNode): string[] {
  const hosts = { 4: 32, 6: 128 };
  const connected = versions.map((version) => {
    return `  ipv${version} { table at_next${version}; import where net.len < ${hosts[version]}; };\n`;
  });
  return [
    ...versions.map((version) => `ipv${version} table at_next${version};\n`),
    `protocol direct at_connected {\n${connected.join('')}}\n`,
    ...versions.map((version) => {
      const routes = ways
        .filter(({ via }) => versionOf(via) === version)
        .map(({ destination, via }) => `  route ${destination} via ${via};\n`);
      return `protocol static at_ways${version} {\n  ipv${version} { table at_next${version}; };\n${routes.join('')}}\n`;
    }),
  ];
}

function neighbor(node: NeighborNode, bgp: BgpNode): string {
  const version = versionOf(node.address);
  const lines = [
    `local ${node.localAddress === undefined ? '' : `${node.localAddress} `}as ${bgp.asn};`,
    `neighbor ${node.address} as ${node.asn};`,
    ...(node.ifname === undefined ? [] : [`interface "${node.ifname}";`]),
    node.multihop === undefined ? 'direct;' : `multihop ${node.multihop};`,
    // The rules keep the one character away that BIRD cannot have in a text.
    ...(node.password === undefined ? [] : [`password "${node.password}";`]),
    ...(node.passive ? ['passive yes;'] : []),
    ...(node.bfd ? ['bfd yes;'] : []),
    `hold time ${node.holdTime};`,
    'connect delay time 1;',
    'connect retry time 10;',
    'error wait time 2, 60;',
    'graceful restart yes;',
    `graceful restart time ${RESTART_TIME};`,
    `ipv${version} {`,
    `  igp table at_next${version};`,
    '  next hop self;',
    `  import limit ${node.maxPrefixes} action restart;`,
    `  import filter {\n${importFilter(node, bgp, version)}    };`,
    `  export filter {\n${exportFilter(node, bgp, version)}    };`,
    '};',
  ];
  return `protocol bgp ${protocolName(node)} {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}

function importFilter(node: NeighborNode, bgp: BgpNode, version: Version): string {
  const any = version === 4 ? '0.0.0.0/0' : '::/0';
  return statements([
    ...(node.importDefault ? [`if net = ${any} then accept;`] : []),
    ...within(of(version, bgp.attached), 'reject'),
    ...within(of(version, node.importPrefixes), 'accept'),
    'reject;',
  ]);
}

function exportFilter(node: NeighborNode, bgp: BgpNode, version: Version): string {
  const named = [...new Set([...(node.exportTenant ? of(version, bgp.tenant) : []), ...node.exportPrefixes])];
  const conditions = [
    ...(node.exportFloating && version === 4 ? ['proto = "at_floating"'] : []),
    ...(named.length === 0 ? [] : [`net ~ [ ${named.join(', ')} ]`]),
  ];
  if (conditions.length === 0) return statements(['reject;']);
  return statements([
    // What was learned from one neighbour is not told to another.
    'if source != RTS_STATIC then reject;',
    `if !(${conditions.join(' || ')}) then reject;`,
    ...node.communities.map((parts) => {
      return `bgp_${parts.length === 3 ? 'large_' : ''}community.add((${parts.join(', ')}));`;
    }),
    'accept;',
  ]);
}

function within(prefixes: readonly Prefix[], verdict: 'accept' | 'reject'): string[] {
  return prefixes.length === 0
    ? []
    : [`if net ~ [ ${prefixes.map((cidr) => `${cidr}+`).join(', ')} ] then ${verdict};`];
}

function statements(lines: readonly string[]): string {
  return lines.map((line) => `      ${line}\n`).join('');
}

function of(version: Version, prefixes: readonly Prefix[]): readonly Prefix[] {
  return prefixes.filter((cidr) => versionOf(cidr) === version);
}

function versionOf(text: string): Version {
  return text.includes(':') ? 6 : 4;
}
