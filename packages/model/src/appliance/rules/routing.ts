import { canonicalIp, contains, ipVersion, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { Network } from '../network.ts';
import type { Bgp, BgpNeighbor } from '../routing.ts';
import { checkAddress, checkCidr, checkSecret, type Fail } from './fail.ts';

export function checkRouting(config: ApplianceConfig, fail: Fail): void {
  config.networks.forEach((network, index) => {
    checkAdvertisement(network, `/networks/${index}/router_advertisement`, fail);
  });
  if (config.bgp !== undefined) checkBgp(config.bgp, config.networks, fail);
}

function checkAdvertisement({ router_advertisement: ra }: Network, field: string, fail: Fail): void {
  if (ra === undefined) return;
  const { router_lifetime, max_interval = 100, valid_lifetime = 86_400, preferred_lifetime } = ra;
  if (router_lifetime !== undefined && router_lifetime > 0 && router_lifetime < max_interval) {
    fail(`${field}/router_lifetime`, `must be 0 or at least max_interval (${max_interval})`);
  }
  if (preferred_lifetime !== undefined && preferred_lifetime > valid_lifetime) {
    fail(`${field}/preferred_lifetime`, `must be at most valid_lifetime (${valid_lifetime})`);
  }
}

function checkBgp(bgp: Bgp, networks: readonly Network[], fail: Fail): void {
  const own = new Set(
    networks.flatMap((network) =>
      network.interface.addresses.flatMap((cidr) => {
        const address = parseCidr(cidr)?.address;
        return address === undefined ? [] : [canonicalIp(address)];
      }),
    ),
  );
  if (bgp.router_id !== undefined && checkAddress(bgp.router_id, '/bgp/router_id', 4, fail)) {
    if (bgp.router_id === '0.0.0.0') fail('/bgp/router_id', 'must not be 0.0.0.0');
  }
  const seen = new Set<string>();
  bgp.neighbors.forEach((neighbor, index) => {
    const field = `/bgp/neighbors/${index}`;
    checkSecret(neighbor.password, `${field}/password`, fail);
    if (neighbor.password?.includes('"')) fail(`${field}/password`, 'must not contain a double quote');
    if (!checkAddress(neighbor.address, `${field}/address`, undefined, fail)) return;
    const address = canonicalIp(neighbor.address);
    if (!isUnicast(address)) fail(`${field}/address`, 'must be a unicast address of another machine');
    else if (own.has(address)) fail(`${field}/address`, `${address} is the appliance's own`);
    const key = `${address} ${neighbor.interface ?? ''}`;
    if (seen.has(key)) fail(`${field}/address`, `${address} is used twice`);
    seen.add(key);
    checkInterface(neighbor, address, field, networks, fail);
    checkPolicy(neighbor, ipVersion(address), field, fail);
  });
}

function checkInterface(
  neighbor: BgpNeighbor,
  address: string,
  field: string,
  networks: readonly Network[],
  fail: Fail,
): void {
  const linkLocal = isLinkLocal(address);
  if (linkLocal && neighbor.multihop !== undefined) fail(`${field}/multihop`, 'a link-local neighbour is one hop away');
  if (neighbor.interface !== undefined) {
    if (!linkLocal) fail(`${field}/interface`, 'belongs to link-local neighbours only');
    else if (!networks.some((network) => network.interface.ifname === neighbor.interface)) {
      fail(`${field}/interface`, `there is no network on ${neighbor.interface}`);
    }
  } else if (linkLocal && !networks.some(({ network_type }) => network_type === 'external')) {
    fail(`${field}/interface`, 'a link-local neighbour needs one: there is no external network');
  }
}

function checkPolicy(neighbor: BgpNeighbor, version: 4 | 6 | undefined, field: string, fail: Fail): void {
  for (const side of ['export', 'import'] as const) {
    neighbor[side]?.prefixes?.forEach((cidr, index) => {
      checkCidr(cidr, `${field}/${side}/prefixes/${index}`, version, fail);
    });
  }
  neighbor.export?.communities?.forEach((text, index) => {
    const parts = text.split(':').map(Number);
    const most = parts.length === 2 ? 65_535 : 4_294_967_295;
    if (parts.some((part) => part > most)) fail(`${field}/export/communities/${index}`, `a part is at most ${most}`);
  });
}

/** RFC 4291 §2.5.6: 54 zero bits follow the prefix. */
function isLinkLocal(address: string): boolean {
  return contains('fe80::/64', address);
}

function isUnicast(address: string): boolean {
  const never = [
    '0.0.0.0/8',
    '127.0.0.0/8',
    '224.0.0.0/3',
    // Mapped and compatible addresses are no one's.
    '::/96',
    '::ffff:0:0/96',
    'ff00::/8',
  ];
  if (contains('fe80::/10', address) && !isLinkLocal(address)) return false;
  return !never.some((cidr) => contains(cidr, address));
}
