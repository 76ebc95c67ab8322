import { ipVersion, parseCidr } from '@astara/model/ip.ts';
import { Fault, invalidInput } from '../api/fault.ts';
import type { SubnetRow } from '../store/rows.ts';
import { hostsOf, rangeOf, toNumber, within } from './address.ts';

/** Neutron's options max_dns_nameservers and max_subnet_host_routes. */
const maxNameservers = 5;
const maxRoutes = 20;

/** A prefix that hosts can live in. */
export function checkPrefix(cidr: string, version: 4 | 6, dhcp: boolean): void {
  const parsed = parseCidr(cidr);
  if (parsed === undefined || parsed.version !== version) {
    throw invalidInput(`cidr '${cidr}' does not match the ip_version '${version}'`);
  }
  if (parsed.prefix === 0) throw invalidInput('0 is not allowed as CIDR prefix length');
  if (!dhcp) return;
  if (parsed.prefix > (version === 4 ? 30 : 126)) {
    throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled');
  }
  const { first } = rangeOf(cidr);
  const top = version === 4 ? first >> 24n : first >> 120n;
  if (version === 4 ? top >= 224n && top <= 239n : top === 0xffn) {
    throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True');
  }
  if (version === 4 ? top === 127n : first === 1n) {
    throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True');
  }
}

/** What a subnet's attributes have to do with each other, but for its pools. */
export function checkSubnet(subnet: SubnetRow): void {
  const { ip_version: version, gateway_ip: gateway } = subnet;
  checkModes(subnet);
  if (gateway !== null) {
    checkVersion('gateway_ip', gateway, version);
    if (version === 4 && isReserved(subnet.cidr, gateway)) throw invalidInput('Gateway is not valid on subnet');
  }
  if (subnet.dns_nameservers.length > maxNameservers) {
    throw new Fault(400, 'DNSNameServersExhausted', exhausted('DNS nameservers', subnet.id, maxNameservers));
  }
  if (subnet.host_routes.length > maxRoutes) {
    throw new Fault(400, 'HostRoutesExhausted', exhausted('host routes', subnet.id, maxRoutes));
  }
  for (const { destination, nexthop } of subnet.host_routes) {
    checkVersion('nexthop', nexthop, version);
    checkVersion('destination', destination, version);
  }
}

const exhausted = (what: string, id: string, quota: number) =>
  `Unable to complete operation for ${id}. The number of ${what} exceeds the limit ${quota}.`;

/** The network's own address, or its broadcast. An address outside of the prefix is nobody's business. */
function isReserved(cidr: string, address: string): boolean {
  const number = toNumber(address);
  return within(rangeOf(cidr), number) && !within(hostsOf(cidr), number);
}

function checkVersion(attribute: string, value: string, version: 4 | 6): void {
  const slash = value.indexOf('/');
  if (ipVersion(slash < 0 ? value : value.slice(0, slash)) === version) return;
  throw invalidInput(`${attribute} '${value}' does not match the ip_version '${version}'`);
}

function checkModes(subnet: SubnetRow): void {
  const { ipv6_ra_mode: ra, ipv6_address_mode: address } = subnet;
  if (ra === null && address === null) return;
  if (subnet.ip_version === 4) {
    const named = ra === null ? 'ipv6_address_mode' : 'ipv6_ra_mode';
    throw invalidInput(`${named} is not valid when ip_version is 4`);
  }
  if (!subnet.enable_dhcp) {
    throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False');
  }
  if (ra !== null && address !== null && ra !== address) {
    throw invalidInput(
      `ipv6_ra_mode set to '${ra}' with ipv6_address_mode set to '${address}' is not valid. If both attributes are set, they must be the same value`,
    );
  }
  const automatic = [ra, address].some((mode) => mode === 'slaac' || mode === 'dhcpv6-stateless');
  if (automatic && parseCidr(subnet.cidr)?.prefix !== 64) {
    throw invalidInput(
      `Invalid CIDR ${subnet.cidr} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    );
  }
}
