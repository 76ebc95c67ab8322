import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Allocation, Network, Subnet } from '@astara/model/appliance/network.ts';

export function subnet(cidr: string, gateway: string | null, more: Partial<Subnet> = {}): Subnet {
  return {
    id: `5ab0e7-${cidr.replace(/[^0-9a-f]/g, '-')}`,
    cidr,
    gateway_ip: gateway,
    dhcp_enabled: false,
    dns_nameservers: [],
    host_routes: [],
    ...more,
  };
}

export function network(
  type: Network['network_type'],
  ifname: string,
  addresses: string[],
  more: Partial<Network> = {},
): Network {
  return {
    network_id: `0e7-${Buffer.from(ifname).toString('hex')}`,
    name: ifname,
    network_type: type,
    interface: { ifname, addresses, mtu: 1450 },
    v4_conf_service: 'static',
    v6_conf_service: 'static',
    subnets: [],
    allocations: [],
    ...more,
  };
}

export function allocation(mac: string, ips: Record<string, boolean>, more: Partial<Allocation> = {}): Allocation {
  return { mac_address: mac, ip_addresses: ips, hostname: 'vm', device_id: '', ...more };
}

export function config(networks: Network[], more: Partial<ApplianceConfig> = {}): ApplianceConfig {
  return { hostname: 'r1', tenant_id: 'feed', networks, floating_ips: [], ...more };
}
