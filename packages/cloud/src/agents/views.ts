import type { Args } from '@astara/messaging/contract.ts';
import { networkView as networkOfApi } from '../network/networks.ts';
import { portView as portOfApi } from '../network/port-resource.ts';
import { subnetView as subnetOfApi } from '../network/subnets.ts';
import type { NetworkRow, PortRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { record, texts } from './arguments.ts';

/** Objects as agents get them: as in the API, and with what Neutron leaves out there. */

export function networkView(store: Store, network: NetworkRow): Record<string, unknown> {
  return { ...networkOfApi(store, network), vlan_transparent: null };
}

/** get_networks, the same of all agents: those of `filters.id`, or all. */
export function askedNetworks(store: Store, { filters }: Args): Record<string, unknown>[] {
  const wanted = record(filters ?? {}).id;
  const rows =
    wanted === undefined ? store.networks.all() : texts(wanted).flatMap((id) => store.networks.get(id) ?? []);
  return rows.map((network) => networkView(store, network));
}

export function subnetView(store: Store, subnet: SubnetRow): Record<string, unknown> {
  return { ...subnetOfApi(subnet), shared: store.networks.get(subnet.network_id)?.shared ?? false };
}

export function portView(port: PortRow): Record<string, unknown> {
  const view = portOfApi(port);
  if (port.host_id === '') return view;
  const details = { connectivity: 'l2', port_filter: true, bound_drivers: { '0': 'linuxbridge' } };
  return { ...view, 'binding:vif_details': details };
}
