import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Subnet as ApplianceSubnet, Network } from '@astara/model/appliance/network.ts';
import type { Attachment } from '@astara/model/instance.ts';
import { parseCidr } from '@astara/model/ip.ts';
import type { FloatingIp, RouterPort, RouterPortSubnet, SyncedRouter } from '@astara/openstack/neutron-types.ts';
import type { NetworkView } from '../../neutron/mirror/networks.ts';
import type { ApplianceDefaults } from '../built.ts';
import { allocationsOf } from '../network/allocations.ts';
import { plugOf } from '../network/config.ts';
import { servedSubnet } from '../network/subnets.ts';

/** Everything a router's appliance is made from. */
export interface RouterInput {
  readonly router: SyncedRouter;
  readonly floatingIps: readonly FloatingIp[];
  /** A network that the router has an interface on, as far as it is known here. */
  readonly network: (id: string) => NetworkView | undefined;
  /** Whether this router answers DHCP on the network. */
  readonly servesDhcp: (networkId: string) => boolean;
  readonly defaults: ApplianceDefaults;
}

export function routerConfig(input: RouterInput): ApplianceConfig {
  const { router, defaults } = input;
  const gateway = router.gw_port;
  const metadata = defaults.metadataEndpoint;
  return {
    hostname: `ak-router-${router.id}`,
    tenant_id: router.tenant_id,
    networks: [
      ...(gateway === undefined ? [] : [externalNetwork(gateway)]),
      ...interfacesOf(router).map((port) => internalNetwork(port, gateway, input)),
    ],
    default_v4_gateway: gatewayAddress(gateway, 4),
    default_v6_gateway: gatewayAddress(gateway, 6),
    snat: gateway !== undefined && (router.enable_snat ?? true),
    floating_ips: gateway === undefined ? [] : floatingIps(input.floatingIps),
    static_routes: router.routes
      .map(({ destination, nexthop }) => ({ destination, nexthop }))
      .sort((a, b) => compare(a.destination, b.destination) || compare(a.nexthop, b.nexthop)),
    ...(metadata === undefined ? {} : { metadata: { endpoint: metadata } }),
    ...(defaults.dnsForwarders.length === 0 ? {} : { dns_forwarders: [...defaults.dnsForwarders] }),
    dhcp_lease_duration: defaults.leaseDuration,
  };
}

export function routerAttachments(router: SyncedRouter, defaults: ApplianceDefaults): Attachment[] {
  const attach = (port: RouterPort, prefix: string): Attachment => ({
    port_id: port.id,
    network_id: port.network_id,
    mac_address: port.mac_address,
    mtu: port.mtu,
    ifname: ifname(prefix, port),
    plug: plugOf(port['binding:vif_type'], defaults.plug),
  });
  const gateway = router.gw_port === undefined ? [] : [attach(router.gw_port, 'qg')];
  return [...gateway, ...interfacesOf(router).map((port) => attach(port, 'qr'))];
}

/** Those that are set up, in the order of their ids. */
export function interfacesOf(router: SyncedRouter): RouterPort[] {
  return (router._interfaces ?? []).filter((port) => port.admin_state_up).sort((a, b) => compare(a.id, b.id));
}

function externalNetwork(port: RouterPort): Network {
  const v6 = port.subnets.filter((subnet) => versionOf(subnet) === 6);
  return {
    network_id: port.network_id,
    name: port.network_id,
    network_type: 'external',
    interface: interfaceOf(port, 'qg'),
    v4_conf_service: 'static',
    // With an address but no gateway of Neutron's, the way out is learned from the provider's router.
    v6_conf_service: v6.length > 0 && v6.every((subnet) => subnet.gateway_ip === null) ? 'ra' : 'static',
    subnets: port.subnets.map((subnet) => ({ ...bareSubnet(subnet), ipv6_ra_mode: null })).sort(byId),
    allocations: [],
    on_link_routes: port.extra_subnets.map((subnet) => subnet.cidr).sort(),
  };
}

function internalNetwork(port: RouterPort, gateway: RouterPort | undefined, input: RouterInput): Network {
  const { defaults } = input;
  const network = input.network(port.network_id);
  const serves = input.servesDhcp(port.network_id);
  const known = new Map((network?.subnets ?? []).map((subnet) => [subnet.id, subnet]));
  const here = port.subnets.map((subnet) => known.get(subnet.id)).filter((subnet) => subnet !== undefined);
  const subnets = port.subnets.map((subnet) => {
    const full = known.get(subnet.id);
    const own = port.fixed_ips.find((ip) => ip.subnet_id === subnet.id)?.ip_address;
    const base =
      network === undefined || full === undefined
        ? bareSubnet(subnet)
        : servedSubnet(network, full, own, defaults.metadataEndpoint !== undefined);
    const routed = isRouted(subnet, port, gateway) ? { nat: false } : {};
    return { ...base, dhcp_enabled: serves && base.dhcp_enabled, ...routed };
  });
  return {
    network_id: port.network_id,
    name: port.network_id,
    network_type: 'internal',
    interface: interfaceOf(port, 'qr'),
    v4_conf_service: 'static',
    v6_conf_service: 'static',
    subnets: subnets.sort(byId),
    allocations: network === undefined ? [] : allocationsOf(network.ports, here, serves),
    // Those that the router has another interface in are reached through that one.
    on_link_routes: port.extra_subnets
      .filter((extra) => !interfacesOf(input.router).some((other) => other.subnets.some(({ id }) => id === extra.id)))
      .map((subnet) => subnet.cidr)
      .sort(),
    dns_domain: network?.dns_domain || defaults.dnsDomain,
  };
}

/** A subnet of which only the router's port tells. */
function bareSubnet(subnet: RouterPortSubnet): ApplianceSubnet {
  const { id, cidr, gateway_ip, dns_nameservers, ipv6_ra_mode } = subnet;
  return {
    id,
    cidr,
    gateway_ip,
    dhcp_enabled: false,
    dns_nameservers: [...dns_nameservers],
    host_routes: [],
    ipv6_ra_mode,
  };
}

/**
 * Within one address scope, addresses are reached from outside as they are. IPv6 has no translation, so that there no scope on
 * either side is one scope, too: a machine is protected by its security groups, as with Neutron's own agent.
 */
function isRouted(subnet: RouterPortSubnet, port: RouterPort, gateway: RouterPort | undefined): boolean {
  if (gateway === undefined) return false;
  const version = versionOf(subnet);
  const scope = version === 4 ? '4' : '6';
  const inside = port.address_scopes[scope];
  return inside === gateway.address_scopes[scope] && (inside !== null || version === 6);
}

function interfaceOf(port: RouterPort, prefix: string): Network['interface'] {
  return {
    ifname: ifname(prefix, port),
    addresses: port.fixed_ips.map((ip) => `${ip.ip_address}/${ip.prefixlen}`).sort(),
    mtu: port.mtu,
    mac_address: port.mac_address,
  };
}

function floatingIps(fips: readonly FloatingIp[]): ApplianceConfig['floating_ips'] {
  return fips.flatMap((fip) =>
    fip.fixed_ip_address === null
      ? []
      : [{ floating_ip: fip.floating_ip_address, fixed_ip: fip.fixed_ip_address, id: fip.id }],
  );
}

function gatewayAddress(port: RouterPort | undefined, version: 4 | 6): string | null {
  const subnets = (port?.subnets ?? []).filter((subnet) => versionOf(subnet) === version).sort(byId);
  return subnets.map((subnet) => subnet.gateway_ip).find((address) => address !== null) ?? null;
}

function versionOf(subnet: RouterPortSubnet): 4 | 6 | undefined {
  return parseCidr(subnet.cidr)?.version;
}

function ifname(prefix: string, port: RouterPort): string {
  return `${prefix}-${port.id.slice(0, 11)}`;
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
