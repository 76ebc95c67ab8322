import { standardView } from '../api/standard.ts';
import type { FloatingIpRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** A floating IP as the API shows it. */
export function floatingIpView(store: Store, row: FloatingIpRow): Record<string, unknown> {
  const port = store.ports.get(row.port_id ?? '');
  return {
    ...standardView(row),
    floating_ip_address: row.floating_ip_address,
    floating_network_id: row.floating_network_id,
    router_id: row.router_id,
    port_id: row.port_id,
    fixed_ip_address: row.fixed_ip_address,
    status: row.status,
    port_details:
      port === undefined
        ? null
        : {
            name: port.name,
            network_id: port.network_id,
            mac_address: port.mac_address,
            admin_state_up: port.admin_state_up,
            status: port.status,
            device_id: port.device_id,
            device_owner: port.device_owner,
          },
    port_forwardings: store.portForwardings.by('floatingIp', row.id).map((rule) => ({
      id: rule.id,
      protocol: rule.protocol,
      internal_port: rule.internal_port,
      internal_ip_address: rule.internal_ip_address,
      internal_port_id: rule.internal_port_id,
      external_port: rule.external_port,
    })),
  };
}
