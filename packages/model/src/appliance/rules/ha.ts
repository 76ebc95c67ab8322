import { canonicalIp, contains, ipVersion, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { Ha } from '../ha.ts';
import type { Network } from '../network.ts';
import { checkAddress, type Fail } from './fail.ts';

export function checkHa({ ha, networks }: ApplianceConfig, fail: Fail): void {
  if (ha === undefined) return;
  const meeting = networks.findIndex((network) => network.interface.ifname === ha.interface);
  const network = networks[meeting];
  if (network === undefined) fail('/ha/interface', `${ha.interface} is of no network`);
  else if (network.network_type !== 'management' && network.network_type !== 'isolated') {
    fail(
      '/ha/interface',
      `${ha.interface} is ${network.network_type}: members meet on a management or isolated network`,
    );
  } else checkMeeting(ha, network, meeting, fail);
  networks.forEach((shared, index) => {
    if (index !== meeting && shared.network_type !== 'management') checkShared(shared, index, fail);
  });
}

/** Each member needs an address of its own there: no other can tell it from the master. */
function checkMeeting(ha: Ha, network: Network, index: number, fail: Fail): void {
  const own = network.interface.addresses.filter((cidr) => parseCidr(cidr) !== undefined && !/^fe[89ab]/i.test(cidr));
  if (own.length === 0) {
    fail(`/networks/${index}/interface/addresses`, `${ha.interface} needs an address for this member`);
    return;
  }
  const addresses = new Set(own.map((cidr) => canonicalIp(parseCidr(cidr)?.address ?? cidr)));
  const seen = new Set<string>();
  ha.peers.forEach((peer, position) => {
    const field = `/ha/peers/${position}`;
    if (!checkAddress(peer, field, undefined, fail)) return;
    const address = canonicalIp(peer);
    if (addresses.has(address)) fail(field, `${peer} is this member's own address`);
    else if (!own.some((cidr) => contains(cidr, peer))) fail(field, `${peer} is not on the network of ${ha.interface}`);
    if (seen.has(address)) fail(field, `${peer} is listed twice`);
    seen.add(address);
  });
  checkVersions(ha, fail);
}

/** A member that is heard in one version only would be given up in the other. */
function checkVersions({ peers }: Ha, fail: Fail): void {
  const count = (version: 4 | 6) => peers.filter((peer) => ipVersion(peer) === version).length;
  if (count(4) > 0 && count(6) > 0 && count(4) !== count(6)) {
    fail('/ha/peers', 'must name each member once in IPv4 and once in IPv6, or all in one version only');
  }
}

function checkShared(network: Network, index: number, fail: Fail): void {
  for (const field of ['v4_conf_service', 'v6_conf_service'] as const) {
    if (network[field] === 'static') continue;
    fail(`/networks/${index}/${field}`, 'must be static: with ha the addresses move between members');
  }
}
