import { Fault } from '../api/fault.ts';

/** What networks, subnets and ports say no with, by the names and words of Neutron's exceptions. */

export const networkNotFound = (id: string) => new Fault(404, 'NetworkNotFound', `Network ${id} could not be found.`);
export const subnetNotFound = (id: string) => new Fault(404, 'SubnetNotFound', `Subnet ${id} could not be found.`);

export const zoneNotFound = (zone: string) =>
  new Fault(404, 'AvailabilityZoneNotFound', `AvailabilityZone ${zone} could not be found.`);

export const networkInUse = (id: string, ports: readonly string[]) =>
  new Fault(
    409,
    'NetworkInUse',
    `Unable to complete operation on network ${id}. There are one or more ports still in use on the network, id for these ports is: ${ports.join(',')}.`,
  );

export const subnetInUse = (id: string) =>
  new Fault(
    409,
    'SubnetInUse',
    `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.`,
  );

export const macInUse = (networkId: string, mac: string) =>
  new Fault(
    409,
    'MacAddressInUse',
    `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`,
  );

export const groupNotFoundMessage = (id: string) => `Security group ${id} does not exist`;
export const groupNotFound = (id: string) => new Fault(404, 'SecurityGroupNotFound', groupNotFoundMessage(id));

export const tenantMayNot = (project: string, what: string) =>
  new Fault(403, 'HTTPForbidden', `Tenant ${project} not allowed to create ${what} on this network`);

export const invalidSharing = (name: string) =>
  new Fault(
    409,
    'InvalidSharedSetting',
    `Unable to reconfigure sharing settings for network ${name}. Multiple tenants are using it.`,
  );
