import { canonicalIp, networkOf, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { Network, Subnet } from '../network.ts';
import { checkAddress, checkCidr, escaped, type Fail, isUnicast } from './fail.ts';
import { checkRoutes } from './routes.ts';

export function checkNetworks({ networks }: ApplianceConfig, fail: Fail): void {
  const served: { field: string; cidr: string }[] = [];
  const ifnames = new Set<string>();
  networks.forEach((network, index) => {
    const field = `/networks/${index}`;
    const { ifname } = network.interface;
    if (ifnames.has(ifname)) fail(`${field}/interface/ifname`, `${ifname} is used twice`);
    if (ifname === 'lo') fail(`${field}/interface/ifname`, 'lo belongs to the appliance itself');
    ifnames.add(ifname);
    checkNetwork(network, field, fail);
    if (network.network_type === 'internal' || network.network_type === 'isolated') {
      network.subnets.forEach(({ cidr }, position) => {
        served.push({ field: `${field}/subnets/${position}/cidr`, cidr });
      });
    }
  });
  checkOverlaps(served, fail);
}

function checkNetwork(network: Network, field: string, fail: Fail): void {
  checkInterface(network.interface, `${field}/interface`, fail);
  network.on_link_routes?.forEach((cidr, index) => {
    checkCidr(cidr, `${field}/on_link_routes/${index}`, undefined, fail);
  });
  checkProxied(network.proxied_addresses ?? [], `${field}/proxied_addresses`, fail);
  if (
    network.dns_domain
      ?.replace(/\.$/, '')
      .split('.')
      .some((label) => label.length > 63)
  ) {
    fail(`${field}/dns_domain`, 'a label has at most 63 characters');
  }
  network.subnets.forEach((subnet, index) => {
    checkSubnet(subnet, `${field}/subnets/${index}`, fail);
  });
  network.allocations.forEach((allocation, index) => {
    for (const address of Object.keys(allocation.ip_addresses)) {
      checkAddress(address, `${field}/allocations/${index}/ip_addresses/${escaped(address)}`, undefined, fail);
    }
  });
}

/** What an interface can have, as the kernel sees it. */
function checkInterface({ addresses, mac_address }: Network['interface'], field: string, fail: Fail): void {
  const seen = new Set<string>();
  addresses.forEach((cidr, index) => {
    const at = `${field}/addresses/${index}`;
    if (!checkCidr(cidr, at, undefined, fail)) return;
    const address = canonicalIp(cidr.slice(0, cidr.indexOf('/')));
    if (!isUnicast(address)) fail(at, `${address} is no address of a host`);
    else if (seen.has(address)) fail(at, `${address} is there twice`);
    seen.add(address);
  });
  // The group bit (IEEE 802): no station has such an address of its own.
  const first = Number.parseInt(mac_address?.slice(0, 2) ?? '0', 16);
  if ((first & 1) === 1 || mac_address === '00:00:00:00:00:00')
    fail(`${field}/mac_address`, 'is no address of a station');
}

/** The kernel has an entry for each address. */
const MAX_PROXIED = 1024;

function checkProxied(prefixes: readonly string[], field: string, fail: Fail): void {
  let count = 0;
  prefixes.forEach((text, index) => {
    const parsed = parseCidr(text);
    count += parsed === undefined ? 0 : 2 ** ((parsed.version === 4 ? 32 : 128) - parsed.prefix);
    if (parsed === undefined) fail(`${field}/${index}`, 'must be address/prefix');
    else if (count > MAX_PROXIED) fail(`${field}/${index}`, `more than ${MAX_PROXIED} addresses`);
  });
}

function checkSubnet(subnet: Subnet, field: string, fail: Fail): void {
  const cidr = parseCidr(subnet.cidr);
  if (cidr === undefined) {
    fail(`${field}/cidr`, 'must be address/prefix');
    return;
  }
  const { version } = cidr;
  if (subnet.gateway_ip !== null) checkAddress(subnet.gateway_ip, `${field}/gateway_ip`, version, fail);
  subnet.dns_nameservers.forEach((address, index) => {
    checkAddress(address, `${field}/dns_nameservers/${index}`, undefined, fail);
  });
  checkRoutes(subnet.host_routes, `${field}/host_routes`, version, fail);
  if (version === 4 && subnet.ipv6_ra_mode !== undefined && subnet.ipv6_ra_mode !== null) {
    fail(`${field}/ipv6_ra_mode`, 'an IPv4 subnet has none');
  }
}

/** One address in two served networks would make it unclear where it is. */
function checkOverlaps(served: readonly { field: string; cidr: string }[], fail: Fail): void {
  const ranges = served
    .flatMap(({ field, cidr }) => {
      const range = rangeOf(cidr);
      return range === undefined ? [] : [{ field, cidr, ...range }];
    })
    .sort((a, b) => a.version - b.version || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  let widest: (typeof ranges)[number] | undefined;
  for (const range of ranges) {
    if (widest !== undefined && widest.version === range.version && range.first <= widest.last) {
      fail(range.field, `${range.cidr} overlaps ${widest.cidr}`);
    }
    if (widest === undefined || widest.version !== range.version || range.last > widest.last) widest = range;
  }
}

function rangeOf(cidr: string): { version: 4 | 6; first: bigint; last: bigint } | undefined {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) return undefined;
  const { version, prefix } = parsed;
  const first = toBigInt(networkOf(cidr).replace(/\/.*/, ''), version);
  const bits = BigInt((version === 4 ? 32 : 128) - prefix);
  return { version, first, last: first + (1n << bits) - 1n };
}

function toBigInt(address: string, version: 4 | 6): bigint {
  if (version === 4) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = '', tail = ''] = canonicalIp(address).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}
