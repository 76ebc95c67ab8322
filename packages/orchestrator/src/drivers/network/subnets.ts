import type { Subnet as ApplianceSubnet, Route } from '@astara/model/appliance/network.ts';
import type { Subnet } from '@astara/openstack/neutron-types.ts';
import type { Served } from '../../neutron/dhcp-ready.ts';
import type { NetworkView } from '../../neutron/mirror/networks.ts';
import { portText } from '../../neutron/mirror/relevant.ts';

const METADATA = '169.254.169.254';

/**
 * A subnet as an appliance that serves DHCP on it sees it. `own`: the appliance's address in it, through which clients reach the
 * metadata service when no router does that for them.
 */
export function servedSubnet(
  network: NetworkView,
  subnet: Subnet,
  own: string | undefined,
  metadata: boolean,
): ApplianceSubnet {
  const { id, cidr, gateway_ip, dns_nameservers, ipv6_ra_mode } = subnet;
  const routes: Route[] = subnet.host_routes.map(({ destination, nexthop }) => ({ destination, nexthop }));
  const told = routes.some((route) => route.destination === `${METADATA}/32`);
  if (metadata && !told && own !== undefined && subnet.ip_version === 4 && !hasRouter(network, subnet)) {
    routes.push({ destination: `${METADATA}/32`, nexthop: own });
  }
  return {
    id,
    cidr,
    gateway_ip,
    dhcp_enabled: subnet.enable_dhcp,
    dns_nameservers: [...dns_nameservers],
    host_routes: routes,
    ipv6_ra_mode,
  };
}

/** The ports that Neutron wants to hear are ready once the network is served. */
export function servedPorts(network: NetworkView): Served {
  const dhcp = new Set(network.subnets.filter((subnet) => subnet.enable_dhcp).map((subnet) => subnet.id));
  const ports = network.ports.filter((port) => port.fixed_ips.some((ip) => dhcp.has(ip.subnet_id)));
  return new Map(ports.map((port) => [port.id, portText(port)]));
}

/** Whether some router, of whatever host, holds the subnet's gateway address. */
function hasRouter(network: NetworkView, subnet: Subnet): boolean {
  return network.ports.some(
    (port) =>
      /^network:(router_interface|ha_router_replicated_interface)/.test(port.device_owner) &&
      port.fixed_ips.some((ip) => ip.subnet_id === subnet.id && ip.ip_address === subnet.gateway_ip),
  );
}
