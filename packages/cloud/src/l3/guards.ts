import type { Context } from '../api/resource.ts';
import { floatingIpOwner, gatewayOwner, interfaceOwner } from '../network/device-owners.ts';
import type { Guards } from '../network/guards.ts';
import type { NetworkRow, PortRow, SubnetRow } from '../store/rows.ts';
import { externalNetworkInUse, gatewayIpInUse, servicePortInUse } from './faults.ts';
import { removeFloatingIp } from './floating-ips.ts';

/** A port of a router or of a floating IP goes with it, not by itself. One without addresses is a leftover. */
export const portGuards: Guards<PortRow> = {
  beforeDelete({ store }, port) {
    const { device_owner, device_id } = port;
    const needed =
      device_owner === floatingIpOwner
        ? store.floatingIps.get(device_id) !== undefined
        : [interfaceOwner, gatewayOwner].includes(device_owner) && store.routers.get(device_id) !== undefined;
    if (needed && port.fixed_ips.length > 0) throw servicePortInUse(port.id, device_owner);
  },
};

/** The gateway's address may not change while a router has it. */
export const subnetGuards: Guards<SubnetRow> = {
  beforeUpdate({ store }, subnet, body) {
    const wanted = body.gateway_ip;
    const { gateway_ip } = subnet;
    if (typeof wanted !== 'string' || gateway_ip === null || wanted === gateway_ip) return;
    const holder = store.ports
      .by('subnet', subnet.id)
      .find(
        (port) =>
          [interfaceOwner, gatewayOwner].includes(port.device_owner) &&
          port.fixed_ips.some((ip) => ip.subnet_id === subnet.id && ip.ip_address === gateway_ip),
      );
    if (holder !== undefined) throw gatewayIpInUse(gateway_ip, holder.id);
  },
};

export const networkGuards: Guards<NetworkRow> = {
  beforeUpdate({ store }, network, body) {
    if (body['router:external'] !== false || !network.external) return;
    const used = store.ports.by('network', network.id).some((port) => port.device_owner === gatewayOwner);
    if (used) throw externalNetworkInUse(network.id);
  },
  /** Floating IPs that lead nowhere do not keep their network. */
  beforeDelete(context, network) {
    for (const floatingIp of idle(context, network)) removeFloatingIp(context, floatingIp);
  },
};

const idle = ({ store }: Context, network: NetworkRow) =>
  store.floatingIps
    .by('network', network.id)
    .filter((floatingIp) => floatingIp.port_id === null && floatingIp.router_id === null);
