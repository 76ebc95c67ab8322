import { interfaceOwner } from '../network/device-owners.ts';
import type { PortRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { gatewayOf } from './router-ports.ts';

/**
 * The router that joins the subnet with the external network: that which is the subnet's gateway, else the first.
 * Undefined: there is none.
 */
export function wayOut(store: Store, subnet: SubnetRow, externalNetworkId: string): string | undefined {
  const leadsOut = (port: PortRow) => {
    const router = store.routers.get(port.device_id);
    return router !== undefined && gatewayOf(store, router)?.network_id === externalNetworkId;
  };
  const isGateway = (port: PortRow) =>
    port.fixed_ips.some((ip) => ip.subnet_id === subnet.id && ip.ip_address === subnet.gateway_ip);
  const ways = store.ports
    .by('subnet', subnet.id)
    .filter((port) => port.device_owner === interfaceOwner && leadsOut(port));
  return (ways.find(isGateway) ?? ways[0])?.device_id;
}
