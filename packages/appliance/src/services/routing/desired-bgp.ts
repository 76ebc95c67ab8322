import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import type { BgpNeighbor } from '@astara/model/appliance/routing.ts';
import { contains, networkOf, parseCidr } from '@astara/model/ip.ts';
import { type Ifname, type Ip, ifname, ip, type Prefix, prefix, printable } from '../../values.ts';
import type { BgpNode, NeighborNode } from './nodes.ts';

export function desiredBgp(config: ApplianceConfig, warn: (text: string) => void): BgpNode | undefined {
  const { bgp, bfd = {} } = config;
  if (bgp === undefined) return undefined;
  const neighbors = bgp.neighbors.map((neighbor, index) => {
    return neighborNode(neighbor, config.networks, `/bgp/neighbors/${index}`, warn);
  });
  const tenant = tenantSubnets(config);
  const floating = translatedAddresses(config);
  const known = new Set<string>(floating);
  const announced = [...tenant, ...neighbors.flatMap((neighbor) => neighbor.exportPrefixes)];
  return Object.freeze({
    asn: bgp.asn,
    maximumPaths: bgp.maximum_paths ?? 16,
    neighbors,
    floating,
    announced: sorted(announced.filter((cidr) => !known.has(cidr))),
    tenant,
    attached: attached(config.networks),
    ways: ways(config),
    bfd: { minRx: bfd.min_rx_ms ?? 300, minTx: bfd.min_tx_ms ?? 300, multiplier: bfd.multiplier ?? 3 },
  });
}

function neighborNode(
  neighbor: BgpNeighbor,
  networks: readonly Network[],
  field: string,
  warn: (text: string) => void,
): NeighborNode {
  const address = ip(neighbor.address, `${field}/address`);
  const policy = neighbor.export ?? {};
  const filter = neighbor.import ?? {};
  const way = reachedBy(neighbor, address, networks, field, warn);
  return Object.freeze({
    address,
    ...way,
    asn: neighbor.asn,
    ...(neighbor.password === undefined ? {} : { password: printable(neighbor.password, `${field}/password`) }),
    ...(neighbor.multihop === undefined ? {} : { multihop: neighbor.multihop }),
    passive: neighbor.passive ?? false,
    // Over several hops BFD needs an address to speak from (RFC 5883 §3).
    bfd: (neighbor.bfd ?? false) && (neighbor.multihop === undefined || way.localAddress !== undefined),
    holdTime: neighbor.hold_time ?? 90,
    maxPrefixes: filter.max_prefixes ?? 1000,
    exportFloating: policy.floating_ips ?? true,
    exportTenant: policy.tenant_subnets ?? true,
    exportPrefixes: prefixes(policy.prefixes, `${field}/export/prefixes`),
    communities: (policy.communities ?? []).map((text) => text.split(':').map(Number)),
    importDefault: filter.default_route ?? true,
    importPrefixes: prefixes(filter.prefixes, `${field}/import/prefixes`),
  });
}

/** Our end of the session: an interface for a link-local neighbour, our address in the neighbour's subnet otherwise. */
function reachedBy(
  { interface: given, multihop }: BgpNeighbor,
  address: Ip,
  networks: readonly Network[],
  field: string,
  warn: (text: string) => void,
): { readonly ifname?: Ifname; readonly localAddress?: Ip } {
  if (contains('fe80::/64', address)) {
    const name = given ?? networks.find(isExternal)?.interface.ifname;
    return name === undefined ? {} : { ifname: ifname(name, `${field}/interface`) };
  }
  const subnet = networks.flatMap((network) => network.interface.addresses).find((cidr) => contains(cidr, address));
  const local = subnet ?? (multihop === undefined ? undefined : firstAddress(networks, address));
  if (local === undefined) warn(`${field}: ${address} is on no network of this appliance`);
  const own = local === undefined ? undefined : parseCidr(local)?.address;
  return own === undefined ? {} : { localAddress: ip(own, `${field}/address`) };
}

/** Of the same version as `like`, outside if there is one. */
function firstAddress(networks: readonly Network[], like: string): string | undefined {
  const all = [...networks.filter(isExternal), ...networks.filter((network) => !isExternal(network))];
  return all
    .flatMap((network) => network.interface.addresses)
    .find((cidr) => cidr.includes(':') === like.includes(':') && !contains('fe80::/10', cidr.replace(/\/.*/, '')));
}

/** Every address of ours that stands for another. */
function translatedAddresses(config: ApplianceConfig): readonly Prefix[] {
  const addresses = [
    ...config.floating_ips.map(({ floating_ip }, index) => ip(floating_ip, `/floating_ips/${index}/floating_ip`)),
    ...(config.port_forwardings ?? []).map(({ floating_ip }, index) => {
      return ip(floating_ip, `/port_forwardings/${index}/floating_ip`);
    }),
    ...(config.snat_addresses ?? []).map((address, index) => ip(address, `/snat_addresses/${index}`)),
  ];
  return sorted(addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}` as Prefix));
}

/** What answers to it must come back to. */
function tenantSubnets({ networks, snat = true }: ApplianceConfig): readonly Prefix[] {
  return sorted(
    networks.flatMap(({ network_type, subnets }, index) => {
      if (network_type !== 'internal') return [];
      return subnets.flatMap(({ cidr, nat = true }, position) => {
        const untranslated = cidr.includes(':') || !nat || !snat;
        return untranslated ? [network(cidr, `/networks/${index}/subnets/${position}/cidr`)] : [];
      });
    }),
  );
}

function attached(networks: readonly Network[]): readonly Prefix[] {
  return sorted(
    networks.flatMap(({ network_type, subnets, interface: { addresses } }, index) => {
      const served = network_type === 'external' ? [] : subnets.map(({ cidr }) => cidr);
      return [...addresses, ...served].map((cidr) => network(cidr, `/networks/${index}`));
    }),
  );
}

function ways(config: ApplianceConfig): BgpNode['ways'] {
  const routes = (config.static_routes ?? []).map(({ destination, nexthop }, index) => ({
    destination: network(destination, `/static_routes/${index}/destination`),
    via: ip(nexthop, `/static_routes/${index}/nexthop`),
  }));
  const gateways = (['default_v4_gateway', 'default_v6_gateway'] as const).flatMap((name) => {
    const via = config[name];
    if (via === undefined || via === null || contains('fe80::/10', via)) return [];
    return [{ destination: (via.includes(':') ? '::/0' : '0.0.0.0/0') as Prefix, via: ip(via, `/${name}`) }];
  });
  const found = new Map<string, BgpNode['ways'][number]>();
  for (const way of [...gateways, ...routes]) {
    if (!contains('fe80::/10', way.via) && !found.has(way.destination)) found.set(way.destination, way);
  }
  return [...found.values()];
}

function prefixes(all: readonly string[] = [], field: string): readonly Prefix[] {
  return sorted(all.map((cidr, index) => network(cidr, `${field}/${index}`)));
}

function network(cidr: string, field: string): Prefix {
  return networkOf(prefix(cidr, field)) as Prefix;
}

/** Each once, in an order that does not depend on the configuration's: so that what is the same reads the same. */
function sorted(all: readonly Prefix[]): readonly Prefix[] {
  return [...new Set(all)].sort();
}

function isExternal(candidate: Network): boolean {
  return candidate.network_type === 'external';
}
