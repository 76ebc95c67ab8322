import { createHash } from 'node:crypto';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { canonicalIp, parseCidr } from '@astara/model/ip.ts';
import { translatedAddresses } from '../firewall/addresses.ts';
import { externalFinder } from '../link/externals.ts';
import { hasIpv6 } from '../link/sysctls.ts';

/**
 * What belongs to the router and not to one of its members: only the master has it, keepalived adds and removes it. The link
 * service leaves out {@link virtualAddresses} and whatever else it would put on {@link sharedInterfaces}, addresses and routes,
 * and does not mind them when it looks at the kernel; their links and kernel switches stay its own.
 */

/** `cidr`: canonical address / prefix. */
export interface VirtualAddress {
  readonly ifname: string;
  readonly cidr: string;
}

/**
 * The interfaces whose addresses, and the routes through them, move with the mastership: those of all networks but the
 * management's and the one where members hear each other. Empty without `ha`.
 */
export function sharedInterfaces(config: ApplianceConfig): ReadonlySet<string> {
  return new Set(sharedNetworks(config).map((network) => network.interface.ifname));
}

/**
 * The addresses that move with the mastership, an interface's own before its floating ones, each once. Empty without `ha`.
 * An interface with IPv6 gets a link-local address of the router's own, the same in all members: hosts know their default
 * router by it, and so notice nothing of a change. A backup has none, so it cannot send a router advertisement either.
 */
export function virtualAddresses(config: ApplianceConfig): readonly VirtualAddress[] {
  const shared = sharedNetworks(config);
  const found = new Map<string, VirtualAddress>();
  const add = (ifname: string, cidr: string) => found.set(`${ifname} ${cidr}`, { ifname, cidr });

  for (const network of shared) {
    const { network_id, interface: port } = network;
    const all = port.addresses.flatMap((text) => canonical(text) ?? []);
    const own = hasIpv6(network) ? all : all.filter((cidr) => !cidr.includes(':'));
    const firstV6 = own.filter((cidr) => cidr.includes(':')).sort()[0];
    if (firstV6 !== undefined && !own.some(isLinkLocal)) add(port.ifname, linkLocalFor(network_id, firstV6));
    for (const cidr of own) add(port.ifname, cidr);
  }

  const external = externalFinder(shared);
  for (const address of shared.length === 0 ? [] : translatedAddresses(config)) {
    const ifname = external(address)?.interface.ifname;
    if (ifname !== undefined) add(ifname, `${address}/${address.includes(':') ? 128 : 32}`);
  }
  if (config.ha !== undefined) {
    for (const version of [4, 6] as const) add(config.ha.interface, primaryAddress(config.ha.vrid, version));
  }
  return [...found.values()];
}

/** What the master advertises, on the interface where members hear each other: the others know by it that they are one router. */
export function primaryAddress(vrid: number, version: 4 | 6): string {
  return version === 4 ? `169.254.0.${vrid}/32` : `fe80::a57a:${vrid.toString(16)}/128`;
}

function sharedNetworks({ ha, networks }: ApplianceConfig): readonly Network[] {
  if (ha === undefined) return [];
  return networks.filter(
    (network) => network.network_type !== 'management' && network.interface.ifname !== ha.interface,
  );
}

/** Undefined for what is no prefix: the rules have said so. */
function canonical(text: string): string | undefined {
  const parsed = parseCidr(text);
  return parsed === undefined ? undefined : `${canonicalIp(parsed.address)}/${parsed.prefix}`;
}

/** RFC 4291 §2.5.6: fe80::/10. */
function isLinkLocal(cidr: string): boolean {
  return /^fe[89ab]/.test(cidr);
}

/** Stable and opaque, after RFC 7217: the router's own address tells it from another router on the same network. */
function linkLocalFor(networkId: string, address: string): string {
  const hash = createHash('sha256').update(`${networkId} ${address}`).digest('hex');
  // Without the universal bit (RFC 4291 appendix A): this is no EUI-64.
  const first = (Number.parseInt(hash.slice(0, 2), 16) & 0xfd).toString(16).padStart(2, '0');
  const id = first + hash.slice(2, 16);
  return `${canonicalIp(`fe80::${id.match(/.{4}/g)?.join(':')}`)}/64`;
}
