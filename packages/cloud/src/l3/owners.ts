/** `device_owner` of the ports that routing makes for itself. */
export const interfaceOwner = 'network:router_interface';
export const gatewayOwner = 'network:router_gateway';
export const floatingIpOwner = 'network:floatingip';
export const dhcpOwner = 'network:dhcp';
