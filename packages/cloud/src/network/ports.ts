import type { Context } from '../api/resource.ts';
import type { PortRow } from '../store/rows.ts';

export interface FixedIpRequest {
  readonly subnet_id?: string;
  readonly ip_address?: string;
}

/** What is left out gets Neutron's default. */
export interface PortRequest {
  readonly network_id: string;
  /** Empty for ports of the cloud itself: gateways, floating addresses. */
  readonly project_id: string;
  readonly name?: string;
  readonly description?: string;
  readonly admin_state_up?: boolean;
  readonly device_id?: string;
  readonly device_owner?: string;
  readonly mac_address?: string;
  /** Absent: an address of each IP version that the network has; empty: none. */
  readonly fixed_ips?: readonly FixedIpRequest[];
  /** Absent: the project's group `default`, unless the port is one of the network's own (`network:…`). */
  readonly security_groups?: readonly string[];
  readonly port_security_enabled?: boolean;
  readonly allowed_address_pairs?: PortRow['allowed_address_pairs'];
  readonly extra_dhcp_opts?: PortRow['extra_dhcp_opts'];
  /** Where it is bound; absent or empty: nowhere. */
  readonly host_id?: string;
  readonly vnic_type?: string;
  readonly profile?: Readonly<Record<string, unknown>>;
}

/** `network_id` and `project_id` stay. New `fixed_ips` replace all; a changed `host_id` binds the port anew. */
export type PortPatch = Partial<Omit<PortRequest, 'network_id' | 'project_id'>>;

/** Makes a port with its addresses and MAC. No permission is checked. Throws Neutron's Faults (409 IpAddressInUse…). */
export function makePort(_context: Context, _request: PortRequest): PortRow {
  throw new Error('makePort comes with the next commit');
}

export function changePort(_context: Context, _port: PortRow, _patch: PortPatch): PortRow {
  throw new Error('changePort comes with the next commit');
}

/** Deletes the port and frees its addresses. Guards are the API's; they are not asked. */
export function dropPort(_context: Context, _port: PortRow): void {
  throw new Error('dropPort comes with the next commit');
}

/** Takes one reason off what keeps a port from ACTIVE; a bound port without reasons left is ACTIVE. */
export function provisioned(_context: Context, _port: PortRow, _what: 'L2' | 'DHCP'): PortRow {
  throw new Error('provisioned comes with the next commit');
}
