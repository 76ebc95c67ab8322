import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { Fault, invalidAttribute, invalidInput } from '../api/fault.ts';
import { boolean, integer, ipAddress, list, oneOf, orNull, quoted, route, text, uuid } from '../api/parse.ts';
import type { Attribute, Context, Resource } from '../api/resource.ts';
import { standardAttributes, standardView } from '../api/standard.ts';
import type { SubnetRow } from '../store/rows.ts';
import { hostsOf, overlap, rangeOf, toAddress } from './address.ts';
import { dhcpOwner, isNetworks } from './device-owners.ts';
import { subnetInUse, subnetNotFound, tenantMayNot } from './faults.ts';
import type { Guards } from './guards.ts';
import { isAutomatic } from './ipam.ts';
import { namedNetwork } from './networks.ts';
import { checkPools, defaultPools, pool } from './pools.ts';
import { subnetAdded } from './ports.ts';
import { checkPrefix, checkSubnet } from './subnet-rules.ts';
import { newStandard, revise } from './touch.ts';

interface SubnetBody {
  readonly project_id: string;
  readonly network_id: string;
  readonly name: string;
  readonly description: string;
  readonly ip_version: 4 | 6;
  readonly cidr: string | null;
  readonly subnetpool_id: string | null;
  /** Absent: the first host's. */
  readonly gateway_ip?: string | null;
  readonly enable_dhcp: boolean;
  readonly ipv6_ra_mode: SubnetRow['ipv6_ra_mode'];
  readonly ipv6_address_mode: SubnetRow['ipv6_address_mode'];
  readonly allocation_pools?: SubnetRow['allocation_pools'];
  readonly host_routes: SubnetRow['host_routes'];
  readonly dns_nameservers: readonly string[];
  readonly service_types: readonly string[];
}

const ipv6Mode = { post: true, parse: orNull(oneOf(['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'])), default: null };

const attributes: Readonly<Record<string, Attribute>> = {
  ...standardAttributes,
  name: { post: true, put: true, parse: text(), default: '' },
  ip_version: { post: 'required', parse: (value, name) => oneOf([4, 6])(integer(0)(value, name), name) },
  network_id: { post: 'required', parse: uuid },
  subnetpool_id: { post: true, parse: orNull(uuid), default: null },
  prefixlen: { post: true, parse: integer(0), filter: false, sort: false },
  cidr: { post: true, parse: orNull(prefix), default: null },
  gateway_ip: { post: true, put: true, parse: orNull(ipAddress) },
  allocation_pools: { post: true, put: true, parse: list(pool, notPools), filter: false, sort: false },
  dns_nameservers: { post: true, put: true, parse: nameservers, default: [], filter: false, sort: false },
  host_routes: { post: true, put: true, parse: list(route), default: [], filter: false, sort: false },
  enable_dhcp: { post: true, put: true, parse: boolean, default: true },
  ipv6_ra_mode: ipv6Mode,
  ipv6_address_mode: ipv6Mode,
  service_types: { post: true, put: true, parse: list(serviceType), default: [], adminSets: true, filter: false },
};

export function subnetResource(guards: Guards<SubnetRow> = {}): Resource<SubnetRow> {
  return {
    singular: 'subnet',
    core: true,
    plural: 'subnets',
    attributes,
    notFound: { type: 'SubnetNotFound', message: (id) => subnetNotFound(id).message },
    list: ({ store }) => store.subnets.all(),
    get: ({ store }, id) => store.subnets.get(id),
    lookup: { network_id: ({ store }, id) => store.subnets.by('network', id) },
    visible: ({ store, caller }, row) =>
      row.project_id === caller.projectId || store.networks.get(row.network_id)?.shared === true,
    view: (_context, row) => subnetView(row),
    create: (context, body) => create(context, body as unknown as SubnetBody),
    update: (context, row, body) => {
      guards.beforeUpdate?.(context, row, body);
      return update(context, row, body as Partial<SubnetRow>);
    },
    remove: (context, row) => {
      guards.beforeDelete?.(context, row);
      remove(context, row);
    },
    retag: ({ store }, row, tags) => void revise(store.subnets, row, { tags }),
  };
}

export function subnetView(row: SubnetRow): Record<string, unknown> {
  return {
    ...standardView(row),
    name: row.name,
    network_id: row.network_id,
    ip_version: row.ip_version,
    subnetpool_id: null,
    enable_dhcp: row.enable_dhcp,
    ipv6_ra_mode: row.ipv6_ra_mode,
    ipv6_address_mode: row.ipv6_address_mode,
    gateway_ip: row.gateway_ip,
    cidr: row.cidr,
    allocation_pools: row.allocation_pools,
    host_routes: row.host_routes,
    dns_nameservers: row.dns_nameservers,
    service_types: row.service_types,
  };
}

function create(context: Context, body: SubnetBody): SubnetRow {
  const { store, caller } = context;
  if (body.subnetpool_id !== null) {
    throw new Fault(404, 'SubnetPoolNotFound', `Subnet pool ${body.subnetpool_id} could not be found.`);
  }
  if (body.cidr === null) {
    const message = 'Bad subnets request: a subnetpool must be specified in the absence of a cidr.';
    throw new Fault(400, 'BadRequest', message);
  }
  const version = body.ip_version;
  checkPrefix(body.cidr, version, body.enable_dhcp);
  const cidr = networkOf(body.cidr);
  const gateway_ip = body.gateway_ip === undefined ? firstHost(cidr, version) : body.gateway_ip;
  const row: SubnetRow = {
    ...newStandard(body.project_id, body.description),
    name: body.name,
    network_id: body.network_id,
    ip_version: version,
    cidr,
    gateway_ip,
    enable_dhcp: body.enable_dhcp,
    ipv6_ra_mode: body.ipv6_ra_mode,
    ipv6_address_mode: body.ipv6_address_mode,
    allocation_pools: body.allocation_pools ?? defaultPools(cidr, version, gateway_ip),
    host_routes: body.host_routes,
    dns_nameservers: body.dns_nameservers,
    service_types: body.service_types,
  };
  checkSubnet(row);
  const network = namedNetwork(context, body.network_id);
  const guest = !caller.isAdmin && network.project_id !== caller.projectId;
  if (guest && !network.shared) throw tenantMayNot(caller.projectId, 'subnet');
  const siblings = store.subnets.by('network', network.id).filter((other) => other.ip_version === version);
  if (siblings.some((other) => overlap(rangeOf(other.cidr), rangeOf(cidr)))) {
    throw invalidInput(`Requested subnet with cidr: ${cidr} for network: ${network.id} overlaps with another subnet`);
  }
  checkPools(row);
  store.subnets.put(row);
  revise(store.networks, network);
  subnetAdded(context, row);
  return row;
}

function update({ store }: Context, row: SubnetRow, body: Partial<SubnetRow>): SubnetRow {
  const next = { ...row, ...body };
  checkPrefix(row.cidr, row.ip_version, next.enable_dhcp);
  checkSubnet(next);
  checkPools(next);
  const network = store.networks.get(row.network_id);
  if (network !== undefined) revise(store.networks, network);
  return revise(store.subnets, row, body);
}

/** What hosts gave themselves, and what the network's own ports have, goes with the subnet. */
function remove(context: Context, row: SubnetRow): void {
  const { store } = context;
  const ports = store.ports.by('subnet', row.id);
  const holds = ports.some(
    ({ device_owner: owner }) => owner !== dhcpOwner && (!isAutomatic(row) || isNetworks(owner)),
  );
  if (holds) throw subnetInUse(row.id);
  for (const port of ports) {
    const fixed_ips = port.fixed_ips.filter((ip) => ip.subnet_id !== row.id);
    revise(store.ports, port, { fixed_ips });
  }
  store.subnets.delete(row.id);
  const network = store.networks.get(row.network_id);
  if (network !== undefined) revise(store.networks, network);
}

function firstHost(cidr: string, version: 4 | 6): string {
  const { first, last } = hostsOf(cidr);
  // In IPv6 the first address is the routers' (RFC 4291, 2.6.1), and no host's.
  if (version === 6) return toAddress(rangeOf(cidr).first, version);
  return toAddress(first === last ? first : rangeOf(cidr).first + 1n, version);
}

/** An address alone is a prefix of its own. */
function prefix(value: unknown, name: string): string {
  const whole =
    typeof value === 'string' && !value.includes('/') ? `${value}/${value.includes(':') ? 128 : 32}` : value;
  if (typeof whole !== 'string' || parseCidr(whole) === undefined) {
    throw invalidAttribute(name, `${quoted(value)} is not a valid IP subnet`);
  }
  return whole;
}

function notPools(value: unknown, name: string): Fault {
  return invalidAttribute(name, `Invalid data format for IP pool: ${quoted(value)}`);
}

function nameservers(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw invalidAttribute(name, `Invalid data format for nameserver: ${quoted(value)}`);
  return value.map((server, at) => {
    try {
      const address = ipAddress(server, name);
      if (value.indexOf(server) === at) return address;
    } catch {
      const shown = quoted(server);
      throw invalidAttribute(name, `${shown} is not a valid nameserver. ${shown} is not a valid IP address`);
    }
    throw invalidAttribute(name, `Duplicate nameserver ${quoted(server)}`);
  });
}

const owners = ['network:', 'compute:', 'baremetal:', 'trunk:'];

function serviceType(value: unknown, name: string): string {
  const type = text()(value, name);
  if (owners.some((owner) => type.startsWith(owner))) return type;
  const message = `Subnet service type ${type} does not correspond to a valid device owner.`;
  throw new Fault(400, 'InvalidSubnetServiceType', message);
}
