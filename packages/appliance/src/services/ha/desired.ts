import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Ha } from '@astara/model/appliance/ha.ts';
import { ipVersion } from '@astara/model/ip.ts';
import { type Ip, ifname, ip, prefix } from '../../values.ts';
import { desiredLinks } from '../link/desired.ts';
import type { HopState, RouteState } from '../link/state.ts';
import type { CompileContext } from '../service.ts';
import type { AddressNode, HaNode, HopNode, InstanceNode, RouteNode, SyncNode } from './nodes.ts';
import { primaryAddress, sharedInterfaces, virtualAddresses } from './virtual.ts';

/**
 * keepalived says nothing while it reads its configuration (0.28 s for 10,000 addresses) or takes the addresses, of which each
 * takes the kernel longer than the one before (2.3 s for 10,000): measured on an idle machine, and here for one half as fast.
 * ms between advertisements, so that no other member takes it for dead meanwhile.
 */
function leastInterval(addresses: number): number {
  const silent = 2 * (0.03 * addresses + 0.000025 * addresses ** 2);
  return Math.ceil(silent / 30) * 10;
}

/** What the configuration asks of keepalived and conntrackd; undefined: this appliance is alone. */
export function desiredHa(config: ApplianceConfig, context: CompileContext): HaNode | undefined {
  const { ha } = config;
  if (ha === undefined) return undefined;
  const sources = ownAddresses(config, ha);
  if (sources.length === 0) {
    context.warn(`/ha/interface: ${ha.interface} has no address for this member, so it hears no other`);
    return undefined;
  }
  const advertInterval = ha.advert_interval_ms ?? 1000;
  const { addresses, generated, routes } = shared(config);
  const node: HaNode = {
    vrid: ha.vrid,
    priority: ha.priority,
    interface: ifname(ha.interface, '/ha/interface'),
    advertInterval,
    nopreempt: ha.nopreempt ?? true,
    tracked: [...sharedInterfaces(config)].map((name) => ifname(name, '/networks')),
    instances: instances(ha, sources, addresses, routes),
    generated,
    sync: ha.conntrack_sync === false ? undefined : sync(ha, sources),
  };
  const least = leastInterval(addresses.length);
  if (advertInterval < least) {
    context.warn(
      `/ha/advert_interval_ms: while keepalived takes ${addresses.length} addresses the other members may take it for dead; ${least} is safe`,
    );
  }
  return Object.freeze(node);
}

/** Of this member, where members hear each other: at most one of each version, of those versions in which they do. */
function ownAddresses({ networks }: ApplianceConfig, ha: Ha): readonly Ip[] {
  const network = networks.findIndex((candidate) => candidate.interface.ifname === ha.interface);
  const all = (networks[network]?.interface.addresses ?? [])
    .map((cidr, index) => ip(cidr.replace(/\/.*/, ''), `/networks/${network}/interface/addresses/${index}`))
    .filter((address) => !/^fe[89ab]/.test(address));
  return ([4, 6] as const).flatMap((version) => {
    const address = all.find((candidate) => ipVersion(candidate) === version);
    const heard = ha.peers.length === 0 || ha.peers.some((peer) => ipVersion(peer) === version);
    return address !== undefined && heard ? [address] : [];
  });
}

function instances(
  ha: Ha,
  sources: readonly Ip[],
  addresses: readonly AddressNode[],
  routes: readonly RouteNode[],
): readonly InstanceNode[] {
  const on = ifname(ha.interface, '/ha/interface');
  return sources.map((source) => {
    const version = versionOf(source);
    // A single instance moves everything; of two, each what is of its own version.
    const mine = (text: string) => sources.length === 1 || versionOf(text) === version;
    return Object.freeze({
      version,
      source,
      peers: peersOf(ha, version),
      primary: { ifname: on, cidr: prefix(primaryAddress(ha.vrid, version), '/ha/vrid') },
      addresses: addresses.filter(({ cidr }) => mine(cidr)),
      routes: routes.filter(({ destination }) => mine(destination)),
    });
  });
}

/** What a router that is alone would have on the shared interfaces, and {@link virtualAddresses}. */
function shared(config: ApplianceConfig) {
  const { ha: _, ...alone } = config;
  // The link service warns of the rest.
  const links = desiredLinks(alone, { runDirInside: '', warn: () => undefined });
  const interfaces = sharedInterfaces(config);
  const addresses = new Map<string, AddressNode>();
  const generated: AddressNode[] = [];
  const take = (name: string, cidr: string) => {
    const node = { ifname: ifname(name, '/networks'), cidr: prefix(cidr, '/networks') };
    if (interfaces.has(name)) addresses.set(`${name} ${cidr}`, node);
    if (links.addresses.get(name)?.has(cidr) !== true) generated.push(node);
  };
  for (const { ifname: name, cidr } of virtualAddresses(config)) take(name, cidr);
  for (const [name, cidrs] of links.addresses) for (const cidr of cidrs) take(name, cidr);
  const routes = [...links.routes.values()]
    .map(route)
    .filter(({ hops }) => hops.some((each) => interfaces.has(each.ifname)));
  return { addresses: [...addresses.values()], generated, routes };
}

function route({ destination, hops }: RouteState): RouteNode {
  return { destination: prefix(destination, '/static_routes'), hops: hops.flatMap((each) => hop(each) ?? []) };
}

function hop({ via, ifname: name, weight }: HopState): HopNode | undefined {
  if (name === undefined) return undefined;
  const on = ifname(name, '/static_routes');
  return { via: via === undefined ? undefined : ip(via, '/static_routes'), ifname: on, weight };
}

/** IPv4 when members hear each other in both. */
function sync(ha: Ha, sources: readonly Ip[]): SyncNode | undefined {
  const source = sources[0];
  if (source === undefined) return undefined;
  const version = versionOf(source);
  const peers = peersOf(ha, version);
  return Object.freeze({
    vrid: ha.vrid,
    version,
    interface: ifname(ha.interface, '/ha/interface'),
    source,
    peer: peers.length === 1 ? peers[0] : undefined,
    ignored: [...sources, ...ha.peers.map((peer, index) => ip(peer, `/ha/peers/${index}`))],
  });
}

function peersOf(ha: Ha, version: 4 | 6): readonly Ip[] {
  return ha.peers.map((peer, index) => ip(peer, `/ha/peers/${index}`)).filter((peer) => versionOf(peer) === version);
}

function versionOf(text: string): 4 | 6 {
  return text.includes(':') ? 6 : 4;
}
