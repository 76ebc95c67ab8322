import type { RouteTarget } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { ifname, ip, prefix } from '../../values.ts';
import type { CompileContext } from '../service.ts';
import { type AddressState, addressKey, type InterfaceState, type LinkState } from './state.ts';
import { sysctls } from './sysctls.ts';

/** What the configuration asks of interfaces, addresses and routes. What cannot be had is left out and warned of. */
export function desiredLinks(config: ApplianceConfig, { warn }: CompileContext): LinkState {
  const interfaces = new Map<string, InterfaceState>();
  const addresses = new Map<string, AddressState>();
  const add = (name: string, cidr: string) => addresses.set(addressKey(name, cidr), { ifname: name, cidr });

  config.networks.forEach((network, index) => {
    const { mtu, mac_address, addresses: own } = network.interface;
    const name = ifname(network.interface.ifname, `/networks/${index}/interface/ifname`);
    interfaces.set(name, {
      up: true,
      ...(mtu === undefined ? {} : { mtu }),
      ...(mac_address === undefined ? {} : { mac: mac_address.toLowerCase() }),
    });
    own.forEach((cidr, position) => {
      add(name, prefix(cidr, `/networks/${index}/interface/addresses/${position}`));
    });
  });

  config.floating_ips.forEach((floating, index) => {
    const address = ip(floating.floating_ip, `/floating_ips/${index}/floating_ip`);
    const external = externalFor(config.networks, address);
    if (external !== undefined) add(external.interface.ifname, `${address}/32`);
  });
  if (config.floating_ips.length > 0 && !config.networks.some(isExternal)) {
    warn('floating_ips: there is no external network, so they are not served');
  }

  return Object.freeze({
    interfaces,
    addresses,
    routes: desiredRoutes(config, warn),
    sysctls: Object.freeze(sysctls(config.networks)),
  });
}

/** The external network that an address belongs to: the one whose subnet holds it, or else the first. */
export function externalFor(networks: readonly Network[], address: string): Network | undefined {
  const externals = networks.filter(isExternal);
  if (externals.length < 2) return externals[0];
  return externals.find((network) => connected([network]).find(address) !== undefined) ?? externals[0];
}

function isExternal(network: Network): boolean {
  return network.network_type === 'external';
}

/** Prefixes reached without a gateway → the interface they are on. */
function connected(networks: readonly Network[]): PrefixTable<string> {
  const table = new PrefixTable<string>();
  for (const network of networks) {
    for (const cidr of network.interface.addresses) table.add(cidr, network.interface.ifname);
  }
  return table;
}

function desiredRoutes(config: ApplianceConfig, warn: CompileContext['warn']): Map<string, RouteTarget> {
  const routes = new Map<string, RouteTarget>();
  const own = new Set(config.networks.flatMap(({ interface: { addresses } }) => addresses.map(addressOf)));
  const attached = connected(config.networks);
  const onLink = connected(config.networks);

  for (const network of config.networks) {
    for (const cidr of network.on_link_routes ?? []) {
      if (attached.has(cidr)) continue;
      const destination = networkOf(cidr);
      routes.set(destination, { destination, ifname: network.interface.ifname });
      onLink.add(destination, network.interface.ifname);
    }
  }

  for (const via of [config.default_v4_gateway, config.default_v6_gateway]) {
    if (via === undefined || via === null) continue;
    const gateway = ip(via, via.includes(':') ? '/default_v6_gateway' : '/default_v4_gateway');
    const destination = gateway.includes(':') ? '::/0' : '0.0.0.0/0';
    // A link-local gateway is on every interface; the default route leaves through the external one.
    const linkLocal = gateway.startsWith('fe80:');
    const reached = linkLocal ? undefined : onLink.find(gateway);
    const name = reached ?? externalFor(config.networks, gateway)?.interface.ifname;
    if (name === undefined) warn(`the default gateway ${gateway} is on no network of this appliance`);
    else if (reached !== undefined) routes.set(destination, { destination, via: gateway, ifname: name });
    else routes.set(destination, { destination, via: gateway, ifname: name, onlink: true });
  }

  (config.static_routes ?? []).forEach((route, index) => {
    const via = ip(route.nexthop, `/static_routes/${index}/nexthop`);
    const destination = networkOf(route.destination);
    const name = onLink.find(via);
    // A tenant's mistake must not keep the rest of the router from working.
    if (own.has(via)) warn(`/static_routes/${index}: the next hop ${via} is this appliance itself`);
    else if (attached.has(destination)) warn(`/static_routes/${index}: ${destination} is attached`);
    else if (name === undefined) warn(`/static_routes/${index}: the next hop ${via} is on no network`);
    else routes.set(destination, { destination, via, ifname: name });
  });
  return routes;
}

function addressOf(cidr: string): string {
  const parsed = parseCidr(cidr);
  return parsed === undefined ? cidr : ip(parsed.address, 'address');
}
