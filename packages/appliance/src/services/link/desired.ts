import type { ProxyNeighbour } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { ifname, mac, prefix } from '../../values.ts';
import { translatedAddresses } from '../firewall/addresses.ts';
import { sharedInterfaces, virtualAddresses } from '../ha/virtual.ts';
import { METADATA_ADDRESS6 } from '../metadata/state.ts';
import type { CompileContext } from '../service.ts';
import { addressesOf } from './expand.ts';
import { externalFinder } from './externals.ts';
import { desiredRoutes } from './routes.ts';
import { type InterfaceState, type LinkState, proxyKey, type RouteState } from './state.ts';
import { hasIpv6, hasMetadata6, IPV6_MIN_MTU, sysctls } from './sysctls.ts';

type Warn = CompileContext['warn'];

/** What the configuration asks of interfaces, addresses and routes. What cannot be had is left out and warned of. */
export function desiredLinks(config: ApplianceConfig, { warn }: CompileContext): LinkState {
  // With `ha`, what is shared comes and goes with the mastership, by keepalived's hand.
  const shared = sharedInterfaces(config);
  const virtual = new Map<string, Set<string>>();
  for (const { ifname, cidr } of virtualAddresses(config)) add(virtual, ifname, cidr);
  const translated = translatedAddresses(config);
  const routes = desiredRoutes(config, warn, translated);
  return Object.freeze({
    interfaces: interfaces(config.networks),
    addresses: addresses(config, translated, shared, warn),
    virtual,
    routes: shared.size === 0 ? routes : new Map([...routes].filter(([, route]) => !passes(route, shared))),
    proxies: proxies(config, shared, warn),
    sysctls: Object.freeze(sysctls(config, routes.values())),
  });
}

/** The external network that an address belongs to; for one address. */
export function externalFor(networks: readonly Network[], address: string): Network | undefined {
  return externalFinder(networks)(address);
}

function interfaces(networks: readonly Network[]): Map<string, InterfaceState> {
  return new Map(
    networks.map(({ interface: { ifname: name, mtu, mac_address } }, index) => {
      const state = {
        up: true,
        ...(mtu === undefined ? {} : { mtu }),
        ...(mac_address === undefined ? {} : { mac: mac(mac_address, `/networks/${index}/interface/mac_address`) }),
      };
      return [ifname(name, `/networks/${index}/interface/ifname`), Object.freeze(state)];
    }),
  );
}

/** An interface's own before its floating ones. */
function addresses(
  config: ApplianceConfig,
  translated: readonly string[],
  shared: ReadonlySet<string>,
  warn: Warn,
): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  config.networks.forEach((network, index) => {
    const { ifname, addresses } = network.interface;
    addresses.forEach((text, position) => {
      const field = `/networks/${index}/interface/addresses/${position}`;
      const cidr = prefix(text, field);
      if (shared.has(ifname)) return;
      if (!cidr.includes(':') || hasIpv6(network)) add(found, ifname, cidr);
      else warn(`${field}: there is no IPv6 with an MTU below ${IPV6_MIN_MTU}`);
    });
  });

  const external = externalFinder(config.networks);
  for (const address of translated) {
    const ifname = external(address)?.interface.ifname;
    if (ifname !== undefined && !shared.has(ifname)) add(found, ifname, `${address}/32`);
  }
  if (config.floating_ips.length > 0 && external('') === undefined) {
    warn('floating_ips: there is no external network, so they are not served');
  }
  return found;
}

function add(addresses: Map<string, Set<string>>, ifname: string, cidr: string): void {
  const known = addresses.get(ifname);
  if (known === undefined) addresses.set(ifname, new Set([cidr]));
  else known.add(cidr);
}

function proxies(
  config: ApplianceConfig,
  shared: ReadonlySet<string>,
  warn: Warn,
): ReadonlyMap<string, ProxyNeighbour> {
  const found = new Map<string, ProxyNeighbour>();
  config.networks.forEach((network, index) => {
    const { ifname } = network.interface;
    // It is no address of the interface: that would show in router advertisements, and every router has it.
    if (hasMetadata6(config, network) && !shared.has(ifname)) {
      const proxy = { ifname, address: METADATA_ADDRESS6 };
      found.set(proxyKey(proxy), proxy);
    }
    network.proxied_addresses?.forEach((text, position) => {
      const field = `/networks/${index}/proxied_addresses/${position}`;
      const cidr = prefix(text, field);
      if (shared.has(ifname)) warn(`${field}: with ha, several members would answer; nobody does`);
      else if (cidr.includes(':') && !hasIpv6(network)) {
        warn(`${field}: there is no IPv6 with an MTU below ${IPV6_MIN_MTU}`);
      } else {
        for (const address of addressesOf(cidr)) found.set(proxyKey({ ifname, address }), { ifname, address });
      }
    });
  });
  return found;
}

function passes({ hops }: RouteState, interfaces: ReadonlySet<string>): boolean {
  return hops.some(({ ifname }) => ifname !== undefined && interfaces.has(ifname));
}
