import { parseCidr } from '@astara/model/ip.ts';
import type { Context } from '../api/resource.ts';
import { floatingIpView } from '../l3/floating-ip-view.ts';
import { attachedTo, gatewayOf, interfacesOf } from '../l3/router-ports.ts';
import { routerView } from '../l3/router-view.ts';
import { changePort } from '../network/ports.ts';
import type { FloatingIpRow, PortRow, RouterRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { portView } from './views.ts';

/** Ports of a router are where its agent is. */
export function bindRouter(context: Context, router: RouterRow, host: string): void {
  for (const port of attachedTo(context.store, router))
    if (port.host_id !== host) changePort(context, port, { host_id: host });
}

/** A router as sync_routers answers it. Keys without anything are absent. */
export function syncedRouter(store: Store, router: RouterRow): Record<string, unknown> {
  const gateway = gatewayOf(store, router);
  const interfaces = interfacesOf(store, router.id);
  const floatingIps = store.floatingIps.by('router', router.id);
  const forwarding = floatingIps.filter((row) => store.portForwardings.count('floatingIp', row.id) > 0);
  return {
    ...routerView(store, router),
    gw_port_id: router.gw_port_id,
    ha_vr_id: 0,
    gw_port_host: gateway === undefined || gateway.host_id === '' ? null : gateway.host_id,
    ...(gateway === undefined ? {} : { gw_port: routerPort(store, gateway), enable_snat: router.enable_snat }),
    ...(floatingIps.length === 0 ? {} : { _floatingips: floatingIps.map((row) => synced(store, row)) }),
    ...(interfaces.length === 0 ? {} : { _interfaces: interfaces.map((port) => routerPort(store, port)) }),
    ...(forwarding.length === 0
      ? {}
      : {
          port_forwardings_fip_set: forwarding.map((row) => `${row.floating_ip_address}/32`),
          fip_managed_by_port_forwardings: forwarding.map((row) => row.id),
          _pf_floatingips: forwarding.map((row) => floatingIpView(store, row)),
        }),
  };
}

function synced(store: Store, row: FloatingIpRow): Record<string, unknown> {
  return {
    ...floatingIpView(store, row),
    qos_policy_id: null,
    qos_network_policy_id: null,
    dns_domain: row.dns_domain,
    dns_name: row.dns_name,
    fixed_ip_address_scope: null,
  };
}

/** A port, and what an agent needs to know of its network. One without addresses stays as it is. */
function routerPort(store: Store, port: PortRow): Record<string, unknown> {
  const view = portView(port);
  if (port.fixed_ips.length === 0) return view;
  const subnets = store.subnets.by('network', port.network_id);
  const own = new Set(port.fixed_ips.map((ip) => ip.subnet_id));
  return {
    ...view,
    fixed_ips: port.fixed_ips.map(({ subnet_id, ip_address }) => ({
      subnet_id,
      ip_address,
      prefixlen: parseCidr(store.subnets.get(subnet_id)?.cidr ?? '')?.prefix,
    })),
    subnets: subnets.filter((subnet) => own.has(subnet.id)).map(brief),
    extra_subnets: subnets.filter((subnet) => !own.has(subnet.id)).map(brief),
    address_scopes: { '4': null, '6': null },
    mtu: store.networks.get(port.network_id)?.mtu ?? 0,
  };
}

const brief = ({ id, cidr, gateway_ip, dns_nameservers, ipv6_ra_mode }: SubnetRow) => ({
  id,
  cidr,
  gateway_ip,
  dns_nameservers,
  ipv6_ra_mode,
  subnetpool_id: null,
});
