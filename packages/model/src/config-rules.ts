import { ApplianceConfig, type FloatingIp, type Network, type Route, type Subnet } from './appliance-config.ts';
import { canonicalIp, ipVersion, networkOf, parseCidr } from './ip.ts';
import { type Invalid, type Validated, validator } from './validate.ts';

const structure = validator(ApplianceConfig);

/** The whole check of a configuration: its structure, and then what a schema cannot say. Every offending field is named. */
export function validateConfig(input: unknown): Validated<ApplianceConfig> {
  const checked = structure(input);
  if (!checked.ok) return checked;
  const errors = configErrors(checked.value);
  return errors.length === 0 ? checked : { ok: false, errors };
}

/** What is wrong with a configuration whose structure is right. Empty: it can be applied. */
export function configErrors(config: ApplianceConfig): Invalid[] {
  const errors: Invalid[] = [];
  const fail = (field: string, message: string) => errors.push({ field, message });
  const served: { field: string; cidr: string }[] = [];

  const ifnames = new Set<string>();
  config.networks.forEach((network, index) => {
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
  checkFloatingIps(config.floating_ips, fail);
  checkRoutes(config.static_routes ?? [], '/static_routes', undefined, fail);

  for (const name of ['default_v4_gateway', 'default_v6_gateway'] as const) {
    const version = name === 'default_v4_gateway' ? 4 : 6;
    const gateway = config[name];
    if (gateway !== undefined && gateway !== null && ipVersion(gateway) !== version) {
      fail(`/${name}`, `must be an IPv${version} address`);
    }
  }
  config.dns_forwarders?.forEach((address, index) => {
    checkAddress(address, `/dns_forwarders/${index}`, undefined, fail);
  });
  return errors;
}

type Fail = (field: string, message: string) => void;

function checkNetwork(network: Network, field: string, fail: Fail): void {
  network.interface.addresses.forEach((cidr, index) => {
    if (parseCidr(cidr) === undefined) fail(`${field}/interface/addresses/${index}`, 'must be address/prefix');
  });
  network.on_link_routes?.forEach((cidr, index) => {
    if (parseCidr(cidr) === undefined) fail(`${field}/on_link_routes/${index}`, 'must be address/prefix');
  });
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

function checkRoutes(routes: readonly Route[], field: string, version: 4 | 6 | undefined, fail: Fail): void {
  routes.forEach((route, index) => {
    const destination = parseCidr(route.destination);
    if (destination === undefined) fail(`${field}/${index}/destination`, 'must be address/prefix');
    else if (version !== undefined && destination.version !== version) {
      fail(`${field}/${index}/destination`, `must be IPv${version}`);
    }
    checkAddress(route.nexthop, `${field}/${index}/nexthop`, destination?.version, fail);
  });
}

function checkFloatingIps(floatingIps: readonly FloatingIp[], fail: Fail): void {
  const seen = new Set<string>();
  floatingIps.forEach(({ floating_ip, fixed_ip }, index) => {
    const field = `/floating_ips/${index}`;
    // There are none of IPv6: an IPv6 address is reached without translation.
    const valid = checkAddress(floating_ip, `${field}/floating_ip`, 4, fail);
    checkAddress(fixed_ip, `${field}/fixed_ip`, 4, fail);
    if (valid && seen.has(floating_ip)) fail(`${field}/floating_ip`, `${floating_ip} is used twice`);
    seen.add(floating_ip);
  });
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

function checkAddress(address: string, field: string, version: 4 | 6 | undefined, fail: Fail): boolean {
  const found = ipVersion(address);
  if (found !== undefined && (version === undefined || found === version)) return true;
  fail(field, `must be an ${version === undefined ? 'IP' : `IPv${version}`} address`);
  return false;
}

/** RFC 6901 §3. */
function escaped(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}
