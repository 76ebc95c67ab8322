import { invalidInput } from '../api/fault.ts';
import { boolean, integer, list, orNull, text } from '../api/parse.ts';
import type { Context, Resource } from '../api/resource.ts';
import { standardAttributes, standardView } from '../api/standard.ts';
import type { NetworkRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { dhcpAgent } from './agents.ts';
import { dhcpOwner } from './device-owners.ts';
import { invalidSharing, networkInUse, networkNotFound, zoneNotFound } from './faults.ts';
import type { Guards } from './guards.ts';
import { chooseSegment, maximumMtu } from './segments.ts';
import { newStandard, revise } from './touch.ts';

interface NetworkBody {
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly mtu: number;
  readonly shared: boolean;
  readonly 'router:external': boolean;
  readonly is_default: boolean;
  readonly port_security_enabled: boolean;
  readonly availability_zone_hints: readonly string[];
  readonly 'provider:network_type'?: string | null;
  readonly 'provider:physical_network'?: string | null;
  readonly 'provider:segmentation_id'?: number | null;
}

const provider = { post: true, put: true, adminSets: true, adminSees: true } as const;

export function networkResource(guards: Guards<NetworkRow> = {}): Resource<NetworkRow> {
  return {
    singular: 'network',
    core: true,
    plural: 'networks',
    attributes: {
      ...standardAttributes,
      name: { post: true, put: true, parse: text(), default: '' },
      status: {},
      subnets: { filter: false, sort: false },
      admin_state_up: { post: true, put: true, parse: boolean, default: true },
      mtu: { post: true, put: true, parse: integer(0), default: 0 },
      shared: { post: true, put: true, parse: boolean, default: false, adminSets: true },
      'router:external': { post: true, put: true, parse: boolean, default: false, adminSets: true },
      is_default: { post: true, put: true, parse: boolean, default: false, adminSets: true },
      port_security_enabled: { post: true, put: true, parse: boolean, default: true },
      availability_zone_hints: { post: true, parse: list(text()), default: [], sort: false },
      availability_zones: { filter: false, sort: false },
      ipv4_address_scope: {},
      ipv6_address_scope: {},
      'provider:network_type': { ...provider, parse: orNull(text()) },
      'provider:physical_network': { ...provider, parse: orNull(text()) },
      'provider:segmentation_id': { ...provider, parse: orNull(integer(-(2 ** 31))) },
    },
    notFound: { type: 'NetworkNotFound', message: (id) => networkNotFound(id).message },
    list: ({ store }) => store.networks.all(),
    get: ({ store }, id) => store.networks.get(id),
    visible: (context, row) => maySee(context, row),
    view: ({ store }, row) => networkView(store, row),
    create: (context, body) => create(context, body as unknown as NetworkBody),
    update: (context, row, body) => {
      guards.beforeUpdate?.(context, row, body);
      return update(context, row, body as unknown as Partial<NetworkBody>);
    },
    remove: (context, row) => {
      guards.beforeDelete?.(context, row);
      remove(context, row);
    },
    retag: ({ store }, row, tags) => void revise(store.networks, row, { tags }),
  };
}

export function maySee({ caller }: Context, network: NetworkRow): boolean {
  return caller.isAdmin || network.shared || network.external || network.project_id === caller.projectId;
}

/** The network that a request names, if the caller may see it. */
export function namedNetwork(context: Context, id: string): NetworkRow {
  const network = context.store.networks.get(id);
  if (network === undefined || !maySee(context, network)) throw networkNotFound(id);
  return network;
}

export function networkView(store: Store, row: NetworkRow): Record<string, unknown> {
  return {
    ...standardView(row),
    name: row.name,
    admin_state_up: row.admin_state_up,
    mtu: row.mtu,
    status: 'ACTIVE',
    subnets: store.subnets.by('network', row.id).map((subnet) => subnet.id),
    shared: row.shared,
    availability_zone_hints: row.availability_zone_hints,
    availability_zones: zonesOf(store, row.id),
    ipv4_address_scope: null,
    ipv6_address_scope: null,
    'router:external': row.external,
    ...(row.external ? { is_default: row.is_default } : {}),
    port_security_enabled: row.port_security_enabled,
    'provider:network_type': row.network_type,
    'provider:physical_network': row.physical_network,
    'provider:segmentation_id': row.segmentation_id,
  };
}

function create(context: Context, body: NetworkBody): NetworkRow {
  const { store } = context;
  const zones = new Set(store.agents.by('type', dhcpAgent).map((agent) => agent.availability_zone));
  for (const zone of body.availability_zone_hints) if (!zones.has(zone)) throw zoneNotFound(zone);
  const segment = chooseSegment(
    store,
    body['provider:network_type'] ?? undefined,
    body['provider:physical_network'] ?? null,
    body['provider:segmentation_id'] ?? null,
  );
  return store.networks.put({
    ...newStandard(body.project_id, body.description),
    revision_number: 1,
    name: body.name,
    admin_state_up: body.admin_state_up,
    mtu: checkMtu(body.mtu, segment.network_type),
    shared: body.shared,
    external: body['router:external'],
    is_default: body.is_default,
    port_security_enabled: body.port_security_enabled,
    availability_zone_hints: body.availability_zone_hints,
    ...segment,
  });
}

function update(context: Context, row: NetworkRow, body: Partial<NetworkBody>): NetworkRow {
  const { 'router:external': external = row.external, mtu, ...rest } = body;
  const {
    'provider:network_type': type,
    'provider:physical_network': physical,
    'provider:segmentation_id': segment,
    ...plain
  } = rest;
  const fixed = [
    ...(physical !== undefined && physical !== row.physical_network ? ['provider:physical_network'] : []),
    ...(type !== undefined && type !== row.network_type ? ['provider:network_type'] : []),
  ];
  if (fixed.length > 0) {
    throw invalidInput(
      `Plugin does not support updating the following provider network attributes: ${fixed.join(', ')}`,
    );
  }
  if (segment !== undefined && segment !== row.segmentation_id) {
    throw invalidInput('Only VLAN type networks can be updated.');
  }
  if (row.shared && plain.shared === false) forbidUnsharing(context, row);
  const patch = { ...plain, external, mtu: mtu === undefined ? row.mtu : checkMtu(mtu, row.network_type) };
  return revise(context.store.networks, row, patch);
}

/** Ports that belong to nobody but the network go with it, and so do its subnets. */
function remove({ store }: Context, row: NetworkRow): void {
  const ports = store.ports.by('network', row.id);
  const used = ports.filter((port) => port.device_owner !== dhcpOwner);
  if (used.length > 0)
    throw networkInUse(
      row.id,
      used.map((port) => port.id),
    );
  for (const port of ports) store.ports.delete(port.id);
  for (const subnet of store.subnets.by('network', row.id)) store.subnets.delete(subnet.id);
  store.networks.delete(row.id);
}

/** 0: what is best. */
function checkMtu(mtu: number, networkType: string): number {
  const most = maximumMtu(networkType);
  if (mtu > most) throw invalidInput(`Requested MTU is too big, maximum is ${most}`);
  return mtu === 0 ? most : mtu;
}

function forbidUnsharing({ store }: Context, row: NetworkRow): void {
  const guests = store.ports
    .by('network', row.id)
    .some(({ project_id: project }) => project !== '' && project !== row.project_id);
  if (guests) throw invalidSharing(row.name);
}

const zonesOf = (store: Store, networkId: string): string[] => {
  const agents = store.dhcpBindings.by('network', networkId).map(({ agent_id: id }) => store.agents.get(id));
  return [...new Set(agents.map((agent) => agent?.availability_zone ?? null))].filter((zone) => zone !== null);
};
