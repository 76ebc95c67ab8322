import { randomBytes } from 'node:crypto';
import type { Context } from '../api/resource.ts';
import type { PortRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { floatingIpOwner, isInterface, isNetworks } from './device-owners.ts';
import { macInUse, networkNotFound } from './faults.ts';
import type { FixedIpRequest } from './fixed-ips.ts';
import { allocate, allocateDefault, automatic, isAutomatic } from './ipam.ts';
import { defaultGroup } from './security-groups.ts';
import { newStandard, revise } from './touch.ts';

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
export function makePort(context: Context, request: PortRequest): PortRow {
  const { store } = context;
  const network = store.networks.get(request.network_id);
  if (network === undefined) throw networkNotFound(request.network_id);
  const owner = request.device_owner ?? '';
  const mac = request.mac_address ?? newMac(store, network.id);
  if (request.mac_address !== undefined) forbidSameMac(store, network.id, mac);
  const holder = { network_id: network.id, device_owner: owner, mac_address: mac };
  const secured = request.port_security_enabled ?? (!isNetworks(owner) && network.port_security_enabled);
  const port: PortRow = {
    ...newStandard(request.project_id, request.description),
    revision_number: 1,
    name: request.name ?? '',
    network_id: network.id,
    mac_address: mac,
    admin_state_up: request.admin_state_up ?? true,
    status: owner === floatingIpOwner ? 'N/A' : 'DOWN',
    device_id: request.device_id ?? '',
    device_owner: owner,
    fixed_ips:
      request.fixed_ips === undefined ? allocateDefault(store, holder) : allocate(store, holder, request.fixed_ips),
    allowed_address_pairs: request.allowed_address_pairs ?? [],
    extra_dhcp_opts: request.extra_dhcp_opts ?? [],
    security_groups: request.security_groups ?? (secured ? [defaultGroup(context, request.project_id).id] : []),
    port_security_enabled: secured,
    host_id: request.host_id ?? '',
    vnic_type: request.vnic_type ?? 'normal',
    profile: request.profile ?? {},
    provisioning: [],
  };
  return store.ports.put({ ...port, provisioning: waitsFor(store, port) });
}

export function changePort(context: Context, port: PortRow, patch: PortPatch): PortRow {
  const { store } = context;
  const mac = patch.mac_address ?? port.mac_address;
  if (mac !== port.mac_address) forbidSameMac(store, port.network_id, mac);
  const holder = {
    network_id: port.network_id,
    device_owner: patch.device_owner ?? port.device_owner,
    mac_address: mac,
  };
  const addresses =
    patch.fixed_ips === undefined
      ? moved(store, port, holder)
      : allocate(store, holder, patch.fixed_ips, mac === port.mac_address ? port.fixed_ips : manual(store, port));
  const next = { ...port, ...patch, fixed_ips: addresses };
  const binding = rebind(store, port, next);
  return revise(store.ports, port, { ...patch, fixed_ips: addresses, ...binding });
}

/** Deletes the port and frees its addresses. Guards are the API's; they are not asked. */
export function dropPort({ store }: Context, port: PortRow): void {
  store.ports.delete(port.id);
}

/** Takes one reason off what keeps a port from ACTIVE; a bound port without reasons left is ACTIVE. */
export function provisioned({ store }: Context, port: PortRow, what: 'L2' | 'DHCP'): PortRow {
  if (!port.provisioning.includes(what)) return port;
  const provisioning = port.provisioning.filter((one) => one !== what);
  const active = provisioning.length === 0 && port.host_id !== '';
  return revise(store.ports, port, { provisioning, ...(active ? { status: 'ACTIVE' } : {}) });
}

/** A MAC that no port of the network has, of the range that OpenStack uses. */
export function newMac(store: Store, networkId: string): string {
  for (;;) {
    const mac = `fa:16:3e:${[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
    if (!hasMac(store, networkId, mac)) return mac;
  }
}

export function subnetAdded(context: Context, subnet: { readonly id: string; readonly network_id: string }): void {
  const { store } = context;
  const row = store.subnets.get(subnet.id);
  if (row === undefined || !isAutomatic(row)) return;
  for (const port of store.ports.by('network', row.network_id)) {
    if (isInterface(port.device_owner)) continue;
    const fixed_ips = [...port.fixed_ips, automatic(store, port, row, [])];
    revise(store.ports, port, { fixed_ips });
  }
}

const hasMac = (store: Store, networkId: string, mac: string) =>
  store.ports.by('mac', mac).some((port) => port.network_id === networkId);

function forbidSameMac(store: Store, networkId: string, mac: string): void {
  if (hasMac(store, networkId, mac)) throw macInUse(networkId, mac);
}

/** Its addresses, those that follow from the MAC by the MAC it will have. */
function moved(store: Store, port: PortRow, holder: Parameters<typeof automatic>[1]): PortRow['fixed_ips'] {
  if (holder.mac_address === port.mac_address) return port.fixed_ips;
  return port.fixed_ips.map((ip) => {
    const subnet = store.subnets.get(ip.subnet_id);
    const follows = subnet !== undefined && isAutomatic(subnet) && !isInterface(holder.device_owner);
    return follows ? automatic(store, holder, subnet, []) : ip;
  });
}

/** The addresses that do not follow from the MAC. */
function manual(store: Store, port: PortRow): PortRow['fixed_ips'] {
  return port.fixed_ips.filter((ip) => {
    const subnet = store.subnets.get(ip.subnet_id);
    return subnet === undefined || !isAutomatic(subnet) || isInterface(port.device_owner);
  });
}

function rebind(store: Store, port: PortRow, next: PortRow): Pick<PortRow, 'provisioning' | 'status'> {
  if (next.host_id !== port.host_id) {
    return { provisioning: waitsFor(store, next), status: port.status === 'N/A' ? 'N/A' : 'DOWN' };
  }
  const readdressed = next.mac_address !== port.mac_address || next.fixed_ips !== port.fixed_ips;
  const dhcp = readdressed && waitsFor(store, next).includes('DHCP');
  const provisioning = dhcp ? [...new Set([...port.provisioning, 'DHCP' as const])] : port.provisioning;
  return { provisioning, status: port.status };
}

/** A bound port waits to be wired; one with an address from DHCP, where an agent serves it, for that agent. */
function waitsFor(store: Store, port: PortRow): PortRow['provisioning'] {
  const leased = port.fixed_ips.some((ip) => store.subnets.get(ip.subnet_id)?.enable_dhcp === true);
  const dhcp = leased && store.dhcpBindings.count('network', port.network_id) > 0;
  return [...(port.host_id === '' ? [] : (['L2'] as const)), ...(dhcp ? (['DHCP'] as const) : [])];
}
