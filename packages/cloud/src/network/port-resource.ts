import { Fault, notAuthorized } from '../api/fault.ts';
import { boolean, dictionary, list, macAddress, oneOf, orNull, text, uuid } from '../api/parse.ts';
import type { Context, Resource } from '../api/resource.ts';
import { standardAttributes, standardView } from '../api/standard.ts';
import type { NetworkRow, PortRow } from '../store/rows.ts';
import { isNetworks } from './device-owners.ts';
import { groupNotFound, tenantMayNot } from './faults.ts';
import { type FixedIpRequest, fixedIps } from './fixed-ips.ts';
import type { Guards } from './guards.ts';

import { namedNetwork } from './networks.ts';
import { type AddressPair, addressPairs, dhcpOptions, mergeOptions, type OptionRequest } from './port-extras.ts';
import { changePort, dropPort, makePort, newMac, type PortPatch } from './ports.ts';
import { revise } from './touch.ts';

interface PortBody {
  readonly project_id: string;
  readonly network_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly device_id: string;
  readonly device_owner: string;
  readonly mac_address: string | null;
  readonly fixed_ips: readonly FixedIpRequest[] | null;
  readonly security_groups: readonly string[] | null;
  readonly port_security_enabled: boolean;
  readonly allowed_address_pairs: readonly AddressPair[];
  readonly extra_dhcp_opts: readonly OptionRequest[];
  readonly 'binding:host_id': string | null;
  readonly 'binding:vnic_type': string;
  readonly 'binding:profile': Readonly<Record<string, unknown>> | null;
}

const vnicTypes = [
  ...['normal', 'direct', 'macvtap', 'baremetal', 'direct-physical', 'virtio-forwarder', 'smart-nic', 'vdpa'],
  'remote-managed',
];

export function portResource(guards: Guards<PortRow> = {}): Resource<PortRow> {
  return {
    singular: 'port',
    core: true,
    plural: 'ports',
    attributes: {
      ...standardAttributes,
      name: { post: true, put: true, parse: text(), default: '' },
      network_id: { post: 'required', parse: uuid },
      mac_address: { post: true, put: true, parse: orNull(macAddress) },
      admin_state_up: { post: true, put: true, parse: boolean, default: true },
      status: {},
      device_id: { post: true, put: true, parse: text(), default: '' },
      device_owner: { post: true, put: true, parse: text(), default: '' },
      fixed_ips: { post: true, put: true, parse: orNull(fixedIps), sort: false },
      security_groups: { post: true, put: true, parse: orNull(list(uuid)), sort: false },
      port_security_enabled: { post: true, put: true, parse: boolean },
      allowed_address_pairs: { post: true, put: true, parse: addressPairs, default: [], filter: false, sort: false },
      extra_dhcp_opts: { post: true, put: true, parse: dhcpOptions, default: [], filter: false, sort: false },
      'binding:host_id': { post: true, put: true, parse: orNull(text()), adminSets: true, adminSees: true },
      'binding:vnic_type': { post: true, put: true, parse: oneOf(vnicTypes), default: 'normal' },
      'binding:profile': {
        ...{ post: true, put: true, adminSets: true, adminSees: true, filter: false, sort: false },
        parse: orNull(dictionary),
      },
      'binding:vif_type': { adminSees: true },
      'binding:vif_details': { adminSees: true, filter: false, sort: false },
    },
    notFound: { type: 'PortNotFound', message: (id) => `Port ${id} could not be found.` },
    list: ({ store, caller }) => (caller.isAdmin ? store.ports.all() : seenBy({ store, caller })),
    get: ({ store }, id) => store.ports.get(id),
    lookup: {
      network_id: ({ store }, id) => store.ports.by('network', id),
      device_id: ({ store }, id) => (id === '' ? store.ports.all() : store.ports.by('device', id)),
      mac_address: ({ store }, mac) => store.ports.by('mac', mac),
      'binding:host_id': ({ store }, host) => (host === '' ? store.ports.all() : store.ports.by('host', host)),
      project_id: ofProject,
      tenant_id: ofProject,
    },
    visible: ({ store, caller }, row) =>
      row.project_id === caller.projectId || store.networks.get(row.network_id)?.project_id === caller.projectId,
    view: (_context, row) => portView(row),
    create: (context, body) => create(context, body as unknown as PortBody),
    update: (context, row, body) => {
      guards.beforeUpdate?.(context, row, body);
      return update(context, row, body as unknown as Partial<PortBody>);
    },
    remove: (context, row) => {
      guards.beforeDelete?.(context, row);
      dropPort(context, row);
    },
    retag: ({ store }, row, tags) => void revise(store.ports, row, { tags }),
  };
}

export function portView(row: PortRow): Record<string, unknown> {
  const bound = row.host_id !== '';
  return {
    ...standardView(row),
    name: row.name,
    network_id: row.network_id,
    mac_address: row.mac_address,
    admin_state_up: row.admin_state_up,
    status: row.status,
    device_id: row.device_id,
    device_owner: row.device_owner,
    fixed_ips: row.fixed_ips,
    allowed_address_pairs: row.allowed_address_pairs,
    extra_dhcp_opts: row.extra_dhcp_opts,
    security_groups: row.security_groups,
    port_security_enabled: row.port_security_enabled,
    'binding:vnic_type': row.vnic_type,
    'binding:profile': row.profile,
    'binding:host_id': row.host_id,
    'binding:vif_type': bound ? 'bridge' : 'unbound',
    'binding:vif_details': bound ? { connectivity: 'l2', port_filter: true } : {},
  };
}

const ofProject = ({ store }: Context, id: string) => (id === '' ? store.ports.all() : store.ports.by('project', id));

/** Its own ports, and all on its networks. */
function seenBy({ store, caller }: Pick<Context, 'store' | 'caller'>): PortRow[] {
  const networks = store.networks.by('project', caller.projectId);
  const ports = networks.flatMap((network) => store.ports.by('network', network.id));
  return [...new Set([...store.ports.by('project', caller.projectId), ...ports])];
}

function create(context: Context, body: PortBody): PortRow {
  const network = namedNetwork(context, body.network_id);
  mayJoin(context, network);
  forbidToGuests(context, network, 'create', body);
  checkGroups(context, body.security_groups ?? []);
  const secured = body.port_security_enabled ?? network.port_security_enabled;
  checkSecurity(secured, body.security_groups ?? [], body.allowed_address_pairs);
  const { mac_address: mac, fixed_ips, security_groups: groups } = body;
  const address = mac ?? newMac(context.store, network.id);
  return makePort(context, {
    network_id: network.id,
    project_id: body.project_id,
    name: body.name,
    description: body.description,
    admin_state_up: body.admin_state_up,
    device_id: body.device_id,
    device_owner: body.device_owner,
    mac_address: address,
    ...((fixed_ips ?? undefined) === undefined ? {} : { fixed_ips: fixed_ips ?? [] }),
    ...((groups ?? undefined) === undefined ? {} : { security_groups: groups ?? [] }),
    ...(body.port_security_enabled === undefined ? {} : { port_security_enabled: body.port_security_enabled }),
    allowed_address_pairs: withMac(body.allowed_address_pairs, address),
    extra_dhcp_opts: mergeOptions([], body.extra_dhcp_opts),
    host_id: body['binding:host_id'] ?? '',
    vnic_type: body['binding:vnic_type'],
    profile: body['binding:profile'] ?? {},
  });
}

function update(context: Context, row: PortRow, body: Partial<PortBody>): PortRow {
  const network = context.store.networks.get(row.network_id);
  if (network !== undefined) forbidToGuests(context, network, 'update', body);
  checkGroups(context, body.security_groups ?? []);
  const {
    mac_address: mac,
    fixed_ips: ips,
    security_groups: groups,
    allowed_address_pairs: pairs,
    extra_dhcp_opts: options,
    'binding:host_id': host,
    'binding:vnic_type': vnic,
    'binding:profile': profile,
    ...plain
  } = body;
  const secured = body.port_security_enabled ?? row.port_security_enabled;
  checkSecurity(secured, groups ?? [], pairs ?? []);
  if (!secured && groups === undefined && row.security_groups.length > 0) throw stillSecured();
  if (mac !== undefined && !context.caller.isAdmin) {
    throw notAuthorized('(rule:update_port and rule:update_port:mac_address)');
  }
  const address = mac === null ? newMac(context.store, row.network_id) : (mac ?? row.mac_address);
  if (address !== row.mac_address && row.host_id !== '') throw portBound(row, address);
  const patch: PortPatch = {
    ...plain,
    mac_address: address,
    ...(ips === undefined ? {} : { fixed_ips: ips ?? [] }),
    ...(groups === undefined ? {} : { security_groups: groups ?? [] }),
    ...(pairs === undefined ? {} : { allowed_address_pairs: withMac(pairs, address) }),
    ...(options === undefined ? {} : { extra_dhcp_opts: mergeOptions(row.extra_dhcp_opts, options) }),
    ...(host === undefined ? {} : { host_id: host ?? '' }),
    ...(vnic === undefined ? {} : { vnic_type: vnic }),
    ...(profile === undefined ? {} : { profile: profile ?? {} }),
  };
  return changePort(context, row, patch);
}

const withMac = (pairs: readonly AddressPair[], mac: string) =>
  pairs.map((pair) => ({ ip_address: pair.ip_address, mac_address: pair.mac_address ?? mac }));

function mayJoin({ caller }: Context, network: NetworkRow): void {
  if (caller.isAdmin || network.shared || network.project_id === caller.projectId) return;
  throw tenantMayNot(caller.projectId, 'port');
}

/** On somebody else's network a project takes what it is given. */
function forbidToGuests(
  { caller }: Context,
  network: NetworkRow,
  verb: 'create' | 'update',
  body: Partial<PortBody>,
): void {
  if (caller.isAdmin || network.project_id === caller.projectId) return;
  const asked = {
    device_owner: isNetworks(body.device_owner ?? ''),
    mac_address: (body.mac_address ?? undefined) !== undefined,
    fixed_ips: body.fixed_ips?.some((ip) => ip.ip_address !== undefined) ?? false,
    port_security_enabled: body.port_security_enabled !== undefined,
    allowed_address_pairs: (body.allowed_address_pairs ?? []).length > 0,
  };
  for (const [name, given] of Object.entries(asked)) {
    const rule = `rule:${verb}_port`;
    const asks = `${rule}:${name}`;
    if (given)
      throw notAuthorized(`(${rule} and ${name === 'fixed_ips' ? `(${asks} and (${asks}:ip_address))` : asks})`);
  }
}

function checkGroups({ store, caller }: Context, ids: readonly string[]): void {
  for (const id of ids) {
    const group = store.securityGroups.get(id);
    if (group === undefined || !(caller.isAdmin || group.project_id === caller.projectId)) throw groupNotFound(id);
  }
}

function checkSecurity(secured: boolean, groups: readonly string[], pairs: readonly AddressPair[]): void {
  if (secured) return;
  if (groups.length > 0) {
    const message = 'Port security must be enabled and port must have an IP address in order to use security groups.';
    throw new Fault(400, 'PortSecurityAndIPRequiredForSecurityGroups', message);
  }
  if (pairs.length > 0) {
    const message = 'Port Security must be enabled in order to have allowed address pairs on a port.';
    throw new Fault(409, 'AddressPairAndPortSecurityRequired', message);
  }
}

const stillSecured = () =>
  new Fault(
    409,
    'PortSecurityPortHasSecurityGroup',
    'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
  );

const portBound = (row: PortRow, mac: string) =>
  new Fault(
    409,
    'PortBound',
    `Unable to complete operation on port ${row.id}, port is already bound, port type: bridge, old_mac ${row.mac_address}, new_mac ${mac}.`,
  );
