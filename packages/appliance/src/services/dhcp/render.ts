import { digest } from '@astara/model/digest.ts';
import { ipVersion, parseCidr } from '@astara/model/ip.ts';
import type { DhcpNode, HostNode, NameNode, OptionNode, OptionValue, RangeNode } from './nodes.ts';

/** Files of a dnsmasq. `conf` is read when it starts, the others again whenever it gets SIGHUP. */
export interface DhcpFiles {
  readonly conf: string;
  readonly hosts: string;
  readonly options: string;
  readonly names: string;
}

/** Paths as dnsmasq sees them. */
export interface DhcpPaths {
  readonly hosts: string;
  readonly options: string;
  readonly names: string;
  readonly leases: string;
  readonly pid: string;
}

/** dnsmasq's word for 2^32 - 1 seconds. */
const INFINITE = 4_294_967_295;

export function renderDhcp(node: DhcpNode, paths: DhcpPaths): DhcpFiles {
  const conf = [
    'no-hosts',
    'bind-dynamic',
    'except-interface=lo',
    ...node.interfaces.map((name) => `interface=${name}`),
    `pid-file=${paths.pid}`,
    `dhcp-leasefile=${paths.leases}`,
    `dhcp-hostsfile=${paths.hosts}`,
    `dhcp-optsfile=${paths.options}`,
    `addn-hosts=${paths.names}`,
    'dhcp-authoritative',
    // Every lease is of an allocation; the default of 1000 would turn hosts away.
    'dhcp-lease-max=1000000',
    'no-ping',
    'localise-queries',
    'domain-needed',
    ...(node.forwarders.length === 0 ? [] : ['no-resolv', ...node.forwarders.map((address) => `server=${address}`)]),
    ...node.domains.map((domain) => `local=/${domain}/`),
    ...node.ranges.flatMap(range),
    // Not `set:` in the hosts file: dnsmasq 2.90 that has served such a host crashes when it reads the file again.
    ...node.tagged.map(({ mac, tag }) => `dhcp-mac=set:${tag},${mac}`),
    'log-facility=-',
    'quiet-dhcp',
    'quiet-dhcp6',
  ];
  return Object.freeze({
    conf: lines(conf),
    hosts: lines(node.hosts.map(host)),
    options: lines(node.options.map(option)),
    names: lines(node.names.map(name)),
  });
}

/** The file name says what is in it: from its arguments one sees which configuration a running dnsmasq has. */
export function confName(files: DhcpFiles): string {
  return `dnsmasq-${digest(files.conf).slice(0, 12)}.conf`;
}

function range({ tag, cidr, domain, lease, sharedWith }: RangeNode): string[] {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) return [];
  const { address, prefix, version } = parsed;
  const size = version === 4 ? netmask(prefix) : String(prefix);
  const time = lease === INFINITE ? 'infinite' : `${lease}s`;
  return [
    `dhcp-range=set:${tag},${address},static,${size},${time}`,
    `domain=${domain},${cidr}`,
    ...(sharedWith === undefined ? [] : [`shared-network=${sharedWith},${address}`]),
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
  const text = optionValue(value, version);
  return text === '' ? `tag:${tag},${what}` : `tag:${tag},${what},${text}`;
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
function tenantText(text: string, version: 4 | 6): string {
  const parts = text.split(',');
  if (version === 6 && parts.every((part) => ipVersion(part) === 6)) return parts.map(bracketed).join(',');
  if (/^[A-Za-z0-9.,:;/@%+=~?&[\]_-]*$/.test(text)) return text;
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function name({ address, names }: NameNode): string {
  return [address, ...names].join(' ');
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
