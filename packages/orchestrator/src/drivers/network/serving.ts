import type { SyncedRouter } from '@astara/openstack/neutron-types.ts';
import { dhcpSubnets } from '../../neutron/dhcp-ports.ts';
import type { Mirror } from '../../neutron/mirror/mirror.ts';

/** `router`: where a router serves the network, its instance answers DHCP on its own address. `port`: every network has an instance. */
export type DhcpMode = 'router' | 'port';

/** Who answers DHCP on a network. */
export type DhcpServer = { readonly kind: 'router'; readonly id: string } | { readonly kind: 'network' };

/**
 * A router of this host with an address in every subnet that has DHCP; of several, the one that holds most of their gateway
 * addresses, then that with the lowest id. Else an instance of the network's own. Nobody, when DHCP is not wanted or not ours.
 */
export function dhcpServer(mirror: Mirror, networkId: string, mode: DhcpMode): DhcpServer | undefined {
  const network = mirror.networks.get(networkId);
  if (network === undefined || !network.scheduled || !network.admin_state_up || !mirror.dhcp.up) return undefined;
  const subnets = dhcpSubnets(network);
  if (subnets.length === 0) return undefined;
  if (mode === 'port' || !mirror.l3.up) return { kind: 'network' };

  const candidates = mirror.routers
    .onNetwork(networkId)
    .map((id) => mirror.routers.get(id))
    .filter((router) => router?.admin_state_up === true)
    .filter((router) => router !== undefined)
    .map((router) => ({ id: router.id, addresses: addressesOn(router, networkId) }))
    .filter(({ addresses }) => subnets.every((subnet) => addresses.some((ip) => ip.subnet_id === subnet.id)))
    .map(({ id, addresses }) => ({
      id,
      gateways: subnets.filter((subnet) => addresses.some((ip) => ip.ip_address === subnet.gateway_ip)).length,
    }))
    .sort((a, b) => b.gateways - a.gateways || (a.id < b.id ? -1 : 1));
  const best = candidates[0];
  return best === undefined ? { kind: 'network' } : { kind: 'router', id: best.id };
}

function addressesOn(router: SyncedRouter, networkId: string) {
  return (router._interfaces ?? [])
    .filter((port) => port.network_id === networkId && port.admin_state_up)
    .flatMap((port) => port.fixed_ips);
}
