import type { ConfigAnswer2016 } from '@astara/model/appliance/api/v1-answers.ts';
import { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { masked } from '@astara/model/appliance/secret.ts';
import { realNames, type VirtualNames } from './names.ts';

type View = ConfigAnswer2016['configuration'];

const nothing: View = Object.freeze({
  networks: [],
  address_book: {},
  anchors: [],
  static_routes: [],
  vpn: [],
  services: { router: null },
  system: { tenant_id: null, hostname: null, management_address: null, interfaces: [] },
});

/** The configuration in force, in the words of 2016. Pure. */
export function configView(config: ApplianceConfig | undefined, names: VirtualNames): ConfigAnswer2016 {
  if (config === undefined) return { configuration: nothing };
  const shown = masked(ApplianceConfig, config);
  const virtual = realNames(names);
  const interfaces = shown.networks.map((network) => interfaceView(network, virtual));
  const router = {
    networks: shown.networks.map((network) => ({
      network_id: network.network_id,
      name: network.name,
      network_type: network.network_type,
      interface: interfaceView(network, virtual),
      v4_conf_service: network.v4_conf_service,
      v6_conf_service: network.v6_conf_service,
      address_allocations: network.allocations.map(({ mac_address, ip_addresses, hostname, device_id }) => {
        const name = network.dns_domain === undefined ? hostname : `${hostname}.${network.dns_domain}`;
        return { mac_address, ip_addresses, hostname: name, device_id };
      }),
    })),
    address_book: Object.fromEntries(
      Object.entries(shown.address_book ?? {}).map(([name, cidrs]) => [name, { name, cidrs: [...cidrs] }]),
    ),
    anchors: (shown.anchors ?? []).map((anchor) => ({ ...anchor })),
    static_routes: (shown.static_routes ?? []).map(({ destination, nexthop }) => ({ destination, next_hop: nexthop })),
    vpn: (shown.vpn?.connections ?? []).map((connection) => ({ ...connection })),
  };
  const { tenant_id, hostname } = shown;
  return {
    configuration: {
      ...router,
      services: { router },
      system: { tenant_id, hostname, management_address: managementAddress(shown), interfaces },
    },
  };
}

function interfaceView({ network_type, interface: card }: Network, virtual: ReadonlyMap<string, string>) {
  const { ifname, addresses, mtu = null, mac_address: lladdr = null } = card;
  const management = network_type === 'management';
  const names = { ifname: virtual.get(ifname) ?? ifname, management };
  return { ...names, addresses, mtu, lladdr, state: 'down', description: '', groups: [], media: null };
}

/** IPv4 was preferred. */
function managementAddress({ networks }: ApplianceConfig): string | null {
  const addresses = networks
    .filter(({ network_type }) => network_type === 'management')
    .flatMap((network) => network.interface.addresses)
    .map((cidr) => cidr.slice(0, cidr.indexOf('/')));
  return addresses.find((address) => !address.includes(':')) ?? addresses[0] ?? null;
}
