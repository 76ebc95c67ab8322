import { Fault, notAuthorized } from '../api/fault.ts';
import { quote } from '../api/parse.ts';

/** What routing says no with, by the names and words of Neutron's exceptions. */

export const badRequest = (resource: string, reason: string) =>
  new Fault(400, 'BadRequest', `Bad ${resource} request: ${reason}.`);

/** Only administrators may say how a gateway does its work. */
export const gatewayNotAllowed = (what: 'enable_snat' | 'external_fixed_ips') =>
  notAuthorized(`rule:update_router:external_gateway_info:${what}`);

export const portNotFound = (id: string) => new Fault(404, 'PortNotFound', `Port ${id} could not be found.`);

export const routerNotFoundMessage = (id: string) => `Router ${id} could not be found`;
export const routerNotFound = (id: string) => new Fault(404, 'RouterNotFound', routerNotFoundMessage(id));
export const routerInUse = (id: string, reason: string) => new Fault(409, 'RouterInUse', `Router ${id} ${reason}`);

export const interfaceNotFound = (routerId: string, portId: string) =>
  new Fault(404, 'RouterInterfaceNotFound', `Router ${routerId} does not have an interface with id ${portId}`);
export const interfaceNotFoundForSubnet = (routerId: string, subnetId: string) =>
  new Fault(404, 'RouterInterfaceNotFoundForSubnet', `Router ${routerId} has no interface on subnet ${subnetId}`);
const interfaceNeeded = (routerId: string, subnetId: string, by: string) =>
  `Router interface for subnet ${subnetId} on router ${routerId} cannot be deleted, as it is required by one or more ${by}.`;
export const interfaceInUseByFloatingIp = (routerId: string, subnetId: string) =>
  new Fault(409, 'RouterInterfaceInUseByFloatingIP', interfaceNeeded(routerId, subnetId, 'floating IPs'));
export const interfaceInUseByRoute = (routerId: string, subnetId: string) =>
  new Fault(409, 'RouterInterfaceInUseByRoute', interfaceNeeded(routerId, subnetId, 'routes'));
export const subnetMismatch = (portId: string, subnetId: string) =>
  new Fault(400, 'SubnetMismatchForPort', `Subnet on port ${portId} does not match the requested subnet ${subnetId}.`);

export const portInUse = (networkId: string, portId: string, deviceId: string) =>
  new Fault(
    409,
    'PortInUse',
    `Unable to complete operation on port ${portId} for network ${networkId}. Port already has an attached device ${deviceId}.`,
  );
export const servicePortInUse = (portId: string, owner: string) =>
  new Fault(
    409,
    'ServicePortInUse',
    `Port ${portId} cannot be deleted directly via the port API: has device owner ${owner}.`,
  );
export const gatewayIpInUse = (address: string, portId: string) =>
  new Fault(409, 'GatewayIpInUse', `Current gateway ip ${address} already in use by port ${portId}. Unable to update.`);

export const gatewayInUse = (routerId: string, networkId: string) =>
  new Fault(
    409,
    'RouterExternalGatewayInUseByFloatingIp',
    `Gateway cannot be updated for router ${routerId}, since a gateway to external network ${networkId} is required by one or more floating IPs.`,
  );
export const externalNetworkInUse = (networkId: string) =>
  new Fault(
    409,
    'ExternalNetworkInUse',
    `External network ${networkId} cannot be updated to be made non-external, since it has existing gateway ports.`,
  );

export const invalidRoutes = (routes: unknown, reason: string) =>
  new Fault(400, 'InvalidRoutes', `Invalid format for routes: ${quote(routes)}, ${reason}`);
export const routesExhausted = (routerId: string, maximum: number) =>
  new Fault(
    400,
    'RoutesExhausted',
    `Unable to complete operation for ${routerId}. The number of routes exceeds the maximum ${maximum}.`,
  );

export const floatingIpNotFoundMessage = (id: string) => `Floating IP ${id} could not be found`;
export const floatingIpNotFound = (id: string) => new Fault(404, 'FloatingIPNotFound', floatingIpNotFoundMessage(id));
export const addressesExhausted = (networkId: string) =>
  new Fault(400, 'ExternalIpAddressExhausted', `Unable to find any IP address on external network ${networkId}.`);
export const noWayOut = (subnetId: string, externalNetworkId: string, portId: string) =>
  new Fault(
    404,
    'ExternalGatewayForFloatingIPNotFound',
    `External network ${externalNetworkId} is not reachable from subnet ${subnetId}.  Therefore, cannot associate Port ${portId} with a Floating IP.`,
  );
export const alreadyAssociated = (
  floatingIp: { readonly id: string; readonly floating_ip_address: string; readonly floating_network_id: string },
  portId: string,
  fixedIp: string,
) =>
  new Fault(
    409,
    'FloatingIPPortAlreadyAssociated',
    `Cannot associate floating IP ${floatingIp.floating_ip_address} (${floatingIp.id}) with port ${portId} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${floatingIp.floating_network_id}.`,
  );

export const forwardingNotFoundMessage = (id: string) => `Port Forwarding ${id} could not be found.`;
export const floatingIpForwards = (id: string) =>
  new Fault(409, 'FipInUseByPortForwarding', `Floating IP ${id} in use by Port Forwarding resources.`);
export const portHasFloatingIp = (
  floatingIp: { readonly id: string; readonly floating_ip_address: string },
  portId: string,
  fixedIp: string,
) =>
  new Fault(
    409,
    'PortHasBindingFloatingIP',
    `Cannot create port forwarding to floating IP ${floatingIp.floating_ip_address} (${floatingIp.id}) with port ${portId} using fixed IP ${fixedIp}, as that port already has a binding floating IP.`,
  );
