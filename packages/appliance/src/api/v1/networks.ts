import type { Allocation2016, Network2016, Subnet2016 } from '@astara/model/appliance/api/v1.ts';
import type { Allocation, Network, Subnet } from '@astara/model/appliance/network.ts';
import { parseCidr } from '@astara/model/ip.ts';
import type { Notes } from './notes.ts';

/** Virtual name → real name; `field` is where the former stands. */
export type Real = (virtual: string, field: string) => string;

const DOMAIN = 'local';

export function translateNetwork(network: Network2016, index: number, real: Real, notes: Notes): Network {
  const field = `/networks/${index}`;
  const { network_type: type = 'isolated', interface: card, allocations = [], subnets = [] } = network;
  if (type === 'loadbalancer') notes.fail(`${field}/network_type`, 'this appliance is no load balancer');
  const served = type === 'internal' || type === 'isolated';
  const mtu = card.mtu ?? network.mtu ?? undefined;
  notes.made(`${field}/dns_domain`, `${field}/allocations/0/hostname`);
  return {
    network_id: network.network_id,
    name: network.name ?? '',
    network_type: type === 'loadbalancer' ? 'isolated' : type,
    interface: {
      ifname: real(card.ifname, `${field}/interface/ifname`),
      addresses: card.addresses ?? [],
      ...(mtu === undefined ? {} : { mtu }),
    },
    v4_conf_service: network.v4_conf_service ?? 'static',
    v6_conf_service: network.v6_conf_service ?? 'static',
    subnets: subnets.map((subnet) => translateSubnet(subnet, served)),
    allocations: allocations.map(translateAllocation),
    dns_domain: domainOf(allocations),
  };
}

/** In 2016 every IPv6 subnet of a tenant was advertised. */
function translateSubnet({ host_routes, gateway_ip, dhcp_enabled, ...subnet }: Subnet2016, served: boolean): Subnet {
  const dhcp = dhcp_enabled ?? false;
  const advertised = served && parseCidr(subnet.cidr)?.version === 6;
  return {
    ...subnet,
    gateway_ip: gateway_ip || null,
    dhcp_enabled: dhcp,
    host_routes: host_routes ?? [],
    ...(advertised ? { ipv6_ra_mode: dhcp ? ('dhcpv6-stateful' as const) : ('slaac' as const) } : {}),
  };
}

function translateAllocation({ hostname, device_id, ...allocation }: Allocation2016): Allocation {
  const [label = ''] = hostname.split('.');
  return { ...allocation, hostname: labelOf(label), device_id: device_id ?? '' };
}

/** The names were made of addresses, and `fd00::` gave `fd00--`, which is none. */
function labelOf(text: string): string {
  return text.replace(/^-+/, '').slice(0, 63).replace(/-+$/, '') || 'host';
}

/** A network has one domain here; in 2016 each name had its own, and all the same. */
function domainOf([first]: readonly Allocation2016[]): string {
  const { hostname = '' } = first ?? {};
  const dot = hostname.indexOf('.');
  return dot < 0 ? DOMAIN : hostname.slice(dot + 1) || DOMAIN;
}

export interface Gateway {
  readonly address: string;
  /** Where it stands. */
  readonly field: string;
}

/** Those of the external networks, in order. */
export function gateways(networks: readonly Network2016[], version: 4 | 6): Gateway[] {
  return networks.flatMap(({ network_type, subnets = [] }, index) => {
    if (network_type !== 'external') return [];
    return subnets.flatMap(({ cidr, gateway_ip }, position) => {
      if (!gateway_ip || parseCidr(cidr)?.version !== version) return [];
      return [{ address: gateway_ip, field: `/networks/${index}/subnets/${position}/gateway_ip` }];
    });
  });
}
