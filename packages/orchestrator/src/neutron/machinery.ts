import type { Port } from '@astara/openstack/neutron-types.ts';

/** Ports of the network's own machinery: they ask for no address. */
const machinery = ['network:router', 'network:ha_router', 'network:dhcp', 'network:floatingip', 'network:distributed'];

export function isDhcpClient(port: Port): boolean {
  return !machinery.some((prefix) => port.device_owner.startsWith(prefix));
}
