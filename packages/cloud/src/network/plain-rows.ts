import { randomBytes, randomUUID } from 'node:crypto';
import type { NetworkRow, PortRow, SubnetRow } from '../store/rows.ts';
import { newStandard } from './touch.ts';

/** Rows for those who pass by the API: whole, and plain unless told otherwise. */

export function networkRow(given: Partial<NetworkRow> = {}): NetworkRow {
  return {
    ...newStandard(randomUUID()),
    name: 'net',
    admin_state_up: true,
    mtu: 1450,
    shared: false,
    external: false,
    is_default: false,
    port_security_enabled: true,
    availability_zone_hints: [],
    network_type: given.external === true ? 'flat' : 'vxlan',
    physical_network: null,
    segmentation_id: null,
    ...given,
  };
}

export function subnetRow(network: NetworkRow, cidr: string, given: Partial<SubnetRow> = {}): SubnetRow {
  return {
    ...newStandard(network.project_id),
    name: '',
    network_id: network.id,
    ip_version: cidr.includes(':') ? 6 : 4,
    cidr,
    gateway_ip: null,
    enable_dhcp: false,
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
    allocation_pools: [],
    host_routes: [],
    dns_nameservers: [],
    service_types: [],
    ...given,
  };
}

/** As a bound port is before anybody has wired it, when `host_id` is given. */
export function portRow(network: Pick<NetworkRow, 'id' | 'project_id'>, given: Partial<PortRow> = {}): PortRow {
  return {
    ...newStandard(network.project_id),
    name: '',
    network_id: network.id,
    mac_address: `fa:16:3e:${randomBytes(3).toString('hex').match(/../g)?.join(':')}`,
    admin_state_up: true,
    status: 'DOWN',
    device_id: '',
    device_owner: '',
    fixed_ips: [],
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    security_groups: [],
    port_security_enabled: true,
    host_id: '',
    vnic_type: 'normal',
    profile: {},
    provisioning: given.host_id === undefined || given.host_id === '' ? [] : ['L2'],
    ...given,
  };
}
