import { standardView } from '../api/standard.ts';
import type { NetworkRow, PortRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

export function portView(_store: Store, port: PortRow): Record<string, unknown> {
  const { provisioning: _, host_id, vnic_type, profile, ...rest } = port;
  return {
    ...rest,
    ...standardView(port),
    'binding:vnic_type': vnic_type,
    'binding:profile': profile,
    'binding:host_id': host_id,
    'binding:vif_type': host_id === '' ? 'unbound' : 'bridge',
    'binding:vif_details': host_id === '' ? {} : { connectivity: 'l2', port_filter: true },
  };
}

export function networkView(store: Store, network: NetworkRow): Record<string, unknown> {
  return { ...network, ...standardView(network), subnets: store.subnets.by('network', network.id).map(({ id }) => id) };
}

export function subnetView(_store: Store, subnet: SubnetRow): Record<string, unknown> {
  return { ...subnet, ...standardView(subnet), subnetpool_id: null, shared: false };
}
