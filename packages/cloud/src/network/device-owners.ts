/** `device_owner` of ports: whose they are. */
export const interfaceOwner = 'network:router_interface';
export const gatewayOwner = 'network:router_gateway';
export const floatingIpOwner = 'network:floatingip';
export const dhcpOwner = 'network:dhcp';

/** One of the cloud's own services. Its ports are not filtered, and a project does not make them. */
export const isNetworks = (owner: string) => owner.startsWith('network:');

/** All kinds of interfaces count, also those of distributed routers. */
export const isInterface = (owner: string) => owner.startsWith(interfaceOwner);
