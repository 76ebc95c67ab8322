import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Attachment } from '@astara/model/instance.ts';
import { parseCidr } from '@astara/model/ip.ts';
import type { Port } from '@astara/openstack/neutron-types.ts';
import type { NetworkView } from '../../neutron/mirror/networks.ts';
import type { ApplianceDefaults } from '../built.ts';
import { allocationsOf } from './allocations.ts';
import { servedSubnet } from './subnets.ts';

/** What an instance of a network's own is and does: DHCP, DNS and metadata on the network's DHCP port. It routes nothing. */
export function networkConfig(network: NetworkView, port: Port, defaults: ApplianceDefaults): ApplianceConfig {
  const metadata = defaults.metadataEndpoint;
  const subnets = network.subnets.filter((subnet) => subnet.enable_dhcp);
  const addresses = port.fixed_ips.flatMap((ip) => {
    const cidr = parseCidr(subnets.find((subnet) => subnet.id === ip.subnet_id)?.cidr ?? '');
    return cidr === undefined ? [] : [`${ip.ip_address}/${cidr.prefix}`];
  });
  const own = (subnetId: string) => port.fixed_ips.find((ip) => ip.subnet_id === subnetId)?.ip_address;
  return {
    hostname: `ak-network-${network.id}`,
    tenant_id: network.tenant_id,
    networks: [
      {
        network_id: network.id,
        name: network.id,
        network_type: 'isolated',
        interface: {
          ifname: `ns-${port.id.slice(0, 11)}`,
          addresses: addresses.sort(),
          mtu: network.mtu,
          mac_address: port.mac_address,
        },
        v4_conf_service: 'static',
        v6_conf_service: 'static',
        subnets: subnets.map((subnet) => ({
          ...servedSubnet(network, subnet, own(subnet.id), metadata !== undefined),
          // It is no router: hosts must not learn one from it.
          ipv6_ra_mode: null,
        })),
        allocations: allocationsOf(network.ports, subnets, true),
        dns_domain: network.dns_domain || defaults.dnsDomain,
      },
    ],
    default_v4_gateway: null,
    default_v6_gateway: null,
    snat: false,
    floating_ips: [],
    static_routes: [],
    ...(metadata === undefined ? {} : { metadata: { endpoint: metadata } }),
    ...(defaults.dnsForwarders.length === 0 ? {} : { dns_forwarders: [...defaults.dnsForwarders] }),
    dhcp_lease_duration: defaults.leaseDuration,
  };
}

export function networkAttachment(network: NetworkView, port: Port, plug: ApplianceDefaults['plug']): Attachment {
  return {
    port_id: port.id,
    network_id: network.id,
    mac_address: port.mac_address,
    mtu: network.mtu,
    ifname: `ns-${port.id.slice(0, 11)}`,
    plug: plugOf(port['binding:vif_type'], plug),
  };
}

/** Neutron's word, where the port is bound. */
export function plugOf(vifType: string | undefined, otherwise: ApplianceDefaults['plug']): ApplianceDefaults['plug'] {
  return vifType === 'bridge' || vifType === 'ovs' ? vifType : otherwise;
}
