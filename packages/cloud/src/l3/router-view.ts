import { standardView } from '../api/standard.ts';
import type { RouterRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { gatewayOf } from './router-ports.ts';

/** A router as the API shows it to administrators. */
export function routerView(store: Store, router: RouterRow): Record<string, unknown> {
  const gateway = gatewayOf(store, router);
  const zone = store.agents.get(router.agent_id ?? '')?.availability_zone ?? null;
  return {
    ...standardView(router),
    name: router.name,
    admin_state_up: router.admin_state_up,
    status: 'ACTIVE',
    external_gateway_info:
      gateway === undefined
        ? null
        : {
            network_id: gateway.network_id,
            external_fixed_ips: gateway.fixed_ips.map(({ subnet_id, ip_address }) => ({ subnet_id, ip_address })),
            enable_snat: router.enable_snat,
          },
    availability_zones: zone === null ? [] : [zone],
    distributed: false,
    ha: false,
    availability_zone_hints: router.availability_zone_hints,
    routes: router.routes,
    flavor_id: router.flavor_id,
  };
}
