import { ipVersion, parseCidr } from '@astara/model/ip.ts';
import type { DhcpNode, DnsNode, HostNode, NameNode, OptionNode, OptionValue, RangeNode } from './nodes.ts';

/** What a dnsmasq has to read. `conf` only when it starts; `lines` and `options` while it runs. */
export interface ServerFiles {
  readonly conf: string;
  /** Names of a DNS server, hosts of a DHCP server. No line is there twice. */
  readonly lines: readonly string[];
  readonly options: string;
}

/** Paths as dnsmasq sees them. */
export interface ServerPaths {
  /** {@link ServerFiles.lines}, but for those that came since. */
  readonly base: string;
  /** A directory of files with those that came since: dnsmasq watches it. */
  readonly since: string;
  readonly options: string;
  readonly leases: string;
  readonly pid: string;
}

/** dnsmasq's word for 2^32 - 1 seconds. */
const INFINITE = 4_294_967_295;
/** Queries under way to others; a client that asks for more is refused. */
const FORWARDED_AT_ONCE = 150;
/** Answers of others that are kept. */
const CACHED = 1_000;
/** Bytes of a UDP answer that need not be fragmented (DNS Flag Day 2020). */
const EDNS_PACKET = 1_232;

export function renderDns(node: DnsNode, paths: ServerPaths): ServerFiles {
  const { upstream } = node;
  const conf = [
    ...common(node, paths),
    `addn-hosts=${paths.base}`,
    `hostsdir=${paths.since}`,
    'domain-needed',
    `cache-size=${CACHED}`,
    `dns-forward-max=${FORWARDED_AT_ONCE}`,
    `edns-packet-max=${EDNS_PACKET}`,
    ...(upstream === 'host' ? [] : ['no-resolv', ...upstream.map((address) => `server=${address}`)]),
    ...node.domains.map((domain) => `local=/${domain}/`),
    ...node.subnets.map((cidr) => `rev-server=${cidr}`),
  ];
  return Object.freeze({ conf: text(conf), lines: [...new Set(node.names.map(name))], options: '' });
}

export function renderDhcp(node: DhcpNode, paths: ServerPaths): ServerFiles {
  const conf = [
    ...common(node, paths),
    // No DNS here.
    'port=0',
    `dhcp-leasefile=${paths.leases}`,
    `dhcp-hostsfile=${paths.base}`,
    `dhcp-hostsdir=${paths.since}`,
    `dhcp-optsfile=${paths.options}`,
    'dhcp-authoritative',
    // Every lease is of an allocation; the default of 1000 would turn hosts away.
    'dhcp-lease-max=1000000',
    'no-ping',
    ...node.ranges.flatMap(range),
    // Not `set:` in the hosts file: dnsmasq 2.90 that has served such a host crashes when it reads the file again.
    ...node.tagged.map(({ mac, tag }) => `dhcp-mac=set:${tag},${mac}`),
    'quiet-dhcp',
    'quiet-dhcp6',
  ];
  return Object.freeze({
    conf: text(conf),
    lines: [...new Set(node.hosts.map(host))],
    options: text(node.options.map(option)),
  });
}

export function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function common({ ifname }: { readonly ifname: string }, paths: ServerPaths): string[] {
  return [
    'no-hosts',
    'bind-dynamic',
    'except-interface=lo',
    `interface=${ifname}`,
    `pid-file=${paths.pid}`,
    'log-facility=-',
  ];
}

function range({ tag, cidr, lease, own, shared }: RangeNode): string[] {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) return [];
  const { address, prefix, version } = parsed;
  const size = version === 4 ? netmask(prefix) : String(prefix);
  const time = lease === INFINITE ? 'infinite' : `${lease}s`;
  return [
    `dhcp-range=set:${tag},${address},static,${size},${time}`,
    ...(shared ? [`shared-network=${own},${address}`] : []),
  ];
}

function netmask(length: number): string {
  const bits = length === 0 ? 0 : 0xffffffff << (32 - length);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

function host({ mac, addresses, hostname }: HostNode): string {
  return [mac, ...addresses.map(bracketed), hostname].join(',');
}

function option({ tag, version, name, value }: OptionNode): string {
  const number = /^\d+$/.test(name);
  const what = version === 6 ? `option6:${name}` : number ? name : `option:${name}`;
  const whose = tag === undefined ? [] : [`tag:${tag}`];
  const given = optionValue(value, version);
  return [...whose, what, ...(given === '' ? [] : [given])].join(',');
}

function optionValue(value: OptionValue, version: 4 | 6): string {
  switch (value.kind) {
    case 'none':
      return '';
    case 'number':
      return String(value.number);
    case 'addresses':
      return value.addresses.map(bracketed).join(',');
    case 'routes':
      return value.routes.map(({ destination, via }) => `${destination},${via}`).join(',');
    case 'name':
      return value.name;
    case 'text':
      return tenantText(value.text, version);
  }
}

/** The one place that escapes. Unquoted, dnsmasq splits at commas and knows `#`, quotes and backslashes. */
function tenantText(given: string, version: 4 | 6): string {
  const parts = given.split(',');
  if (version === 6 && parts.every((part) => ipVersion(part) === 6)) return parts.map(bracketed).join(',');
  if (/^[A-Za-z0-9.,:;/@%+=~?&[\]_-]*$/.test(given)) return given;
  return `"${given.replace(/[\\"]/g, '\\$&')}"`;
}

function name({ address, names }: NameNode): string {
  return `${address} ${names.join(' ')}`;
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
