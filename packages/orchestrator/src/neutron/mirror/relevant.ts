import type {
  FloatingIp,
  Port,
  RouterPort,
  RouterPortSubnet,
  Subnet,
  SyncedRouter,
} from '@astara/openstack/neutron-types.ts';

/**
 * What of Neutron's objects can change an appliance: two objects with equal text need no work. Status, timestamps, tags, names
 * and revision numbers change without anything to do, and each of our own reports changes some of them.
 */

export function routerText(router: SyncedRouter): string {
  const { id, tenant_id, admin_state_up, ha, distributed, enable_snat, routes } = router;
  const gateway = router.gw_port === undefined ? null : routerPort(router.gw_port);
  const interfaces = [...(router._interfaces ?? [])].sort(byId).map(routerPort);
  return JSON.stringify([
    id,
    tenant_id,
    admin_state_up,
    ha,
    distributed,
    enable_snat,
    routes,
    gateway,
    interfaces,
    router._ha_state,
  ]);
}

export function portText(port: Port): string {
  const { mac_address, device_id, device_owner, tenant_id, extra_dhcp_opts, dns_name } = port;
  const addresses = port.fixed_ips.map((ip) => `${ip.subnet_id} ${ip.ip_address}`).sort();
  return JSON.stringify([mac_address, device_id, device_owner, tenant_id, extra_dhcp_opts, dns_name, addresses]);
}

export function subnetText(subnet: Subnet): string {
  const { cidr, gateway_ip, enable_dhcp, ipv6_ra_mode, ipv6_address_mode, dns_nameservers, host_routes } = subnet;
  return JSON.stringify([cidr, gateway_ip, enable_dhcp, ipv6_ra_mode, ipv6_address_mode, dns_nameservers, host_routes]);
}

export function floatingIpText(fip: FloatingIp): string {
  return JSON.stringify([fip.floating_ip_address, fip.fixed_ip_address, fip.router_id, fip.floating_network_id]);
}

function routerPort(port: RouterPort): unknown {
  const { id, network_id, mac_address, admin_state_up, mtu, address_scopes } = port;
  const addresses = port.fixed_ips.map((ip) => `${ip.ip_address}/${ip.prefixlen}`).sort();
  return [
    id,
    network_id,
    mac_address,
    admin_state_up,
    mtu,
    address_scopes,
    addresses,
    port['binding:vif_type'],
    [...port.subnets].sort(byId).map(portSubnet),
    [...port.extra_subnets].sort(byId).map(portSubnet),
  ];
}

function portSubnet(subnet: RouterPortSubnet): unknown {
  return [subnet.id, subnet.cidr, subnet.gateway_ip, subnet.dns_nameservers, subnet.ipv6_ra_mode];
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
