import { ipVersion } from '@astara/model/ip.ts';
import { invalidAttribute } from '../api/fault.ts';
import { integer, ipAddress, quote, text, uuid } from '../api/parse.ts';
import type { Body, Context, Resource } from '../api/resource.ts';
import { subnetNotFound } from '../network/faults.ts';
import { newStandard, revise } from '../network/touch.ts';
import type { FloatingIpRow, PortForwardingRow } from '../store/rows.ts';
import {
  alreadyAssociated,
  badRequest,
  floatingIpNotFound,
  forwardingNotFoundMessage,
  portHasFloatingIp,
} from './faults.ts';
import { visiblePort } from './visible.ts';
import { wayOut } from './way-out.ts';

type Rule = Pick<
  PortForwardingRow,
  'protocol' | 'external_port' | 'internal_port' | 'internal_ip_address' | 'internal_port_id' | 'description'
>;

const protocols = ['dccp', 'icmp', 'ipv6-icmp', 'sctp', 'tcp', 'udp'];

/** `/v2.0/floatingips/{id}/port_forwardings` */
export function portForwardingResource(): Resource<PortForwardingRow> {
  return {
    singular: 'port_forwarding',
    plural: 'port_forwardings',
    path: 'port_forwardings',
    parent: 'floatingips',
    attributes: {
      id: {},
      project_id: { parse: text(), post: true },
      tenant_id: { parse: text(), post: true },
      external_port: { parse: integer(1, 65535), post: 'required', put: true },
      internal_port: { parse: integer(1, 65535), post: 'required', put: true },
      internal_ip_address: { parse: ipAddress, post: 'required', put: true },
      internal_port_id: { parse: uuid, post: 'required', put: true },
      protocol: { parse: protocol, post: 'required', put: true },
      description: { parse: text(), post: true, put: true, default: '' },
    },
    notFound: { type: 'PortForwardingNotFound', message: forwardingNotFoundMessage },
    list: (context) => context.store.portForwardings.by('floatingIp', parentOf(context).id),
    get: (context, id) => {
      const row = context.store.portForwardings.get(id);
      return row?.floatingip_id === parentOf(context).id ? row : undefined;
    },
    view: (_context, row) => ({
      id: row.id,
      protocol: row.protocol,
      external_port: row.external_port,
      internal_port: row.internal_port,
      internal_ip_address: row.internal_ip_address,
      internal_port_id: row.internal_port_id,
      external_port_range: `${row.external_port}:${row.external_port}`,
      internal_port_range: `${row.internal_port}:${row.internal_port}`,
      description: row.description,
    }),
    create,
    update,
    remove: removeForwarding,
  };
}

/** With the last of its rules the floating IP leaves the router. */
export function removeForwarding(context: Context, row: PortForwardingRow): void {
  const { store } = context;
  store.portForwardings.delete(row.id);
  const floatingIp = store.floatingIps.get(row.floatingip_id);
  if (floatingIp === undefined || store.portForwardings.by('floatingIp', row.floatingip_id).length > 0) return;
  const { router_id } = floatingIp;
  revise(store.floatingIps, floatingIp, { router_id: null, last_known_router_id: router_id });
}

function parentOf({ store, caller, parentId = '' }: Context): FloatingIpRow {
  const floatingIp = store.floatingIps.get(parentId);
  const visible = caller.isAdmin || floatingIp?.project_id === caller.projectId;
  if (floatingIp === undefined || !visible) throw floatingIpNotFound(parentId);
  return floatingIp;
}

function create(context: Context, body: Body): PortForwardingRow {
  const rule = body as unknown as Rule;
  const { store } = context;
  const floatingIp = parentOf(context);
  forbidCollisions(context, floatingIp, rule, undefined);
  forbidFloatingIp(context, rule);
  if (floatingIp.port_id !== null) throw alreadyAssociated(floatingIp, rule.internal_port_id, rule.internal_ip_address);
  placeOnRouter(context, floatingIp, rule);
  const { protocol, external_port, internal_port, internal_ip_address, internal_port_id } = rule;
  return store.portForwardings.put({
    ...newStandard(floatingIp.project_id, rule.description),
    floatingip_id: floatingIp.id,
    protocol,
    external_port,
    internal_port,
    internal_ip_address,
    internal_port_id,
  });
}

function update(context: Context, row: PortForwardingRow, body: Body): PortForwardingRow {
  const given = body as Partial<Rule>;
  const { store } = context;
  const floatingIp = parentOf(context);
  const { protocol, external_port, internal_port, internal_ip_address, internal_port_id, description } = {
    ...row,
    ...given,
  };
  const rule = { protocol, external_port, internal_port, internal_ip_address, internal_port_id, description };
  if (given.internal_port_id !== undefined) forbidFloatingIp(context, rule);
  if (internal_port_id !== row.internal_port_id) placeOnRouter(context, floatingIp, rule);
  const fixedIps = visiblePort(context, internal_port_id).fixed_ips;
  if (!fixedIps.some((ip) => ip.ip_address === internal_ip_address)) {
    const why = `The internal IP does not correspond to an address on the internal port, which has fixed_ips ${quote(fixedIps)}`;
    throw badRequest('port_forwarding', why);
  }
  forbidCollisions(context, floatingIp, rule, row.id);
  return revise(store.portForwardings, row, rule);
}

/** The router on the way from the internal port to the floating IP; all rules of a floating IP share it. */
function placeOnRouter(context: Context, floatingIp: FloatingIpRow, rule: Rule): void {
  const { store } = context;
  const port = visiblePort(context, rule.internal_port_id);
  const candidates = port.fixed_ips.filter((ip) => ipVersion(ip.ip_address) === 4);
  const refuse = (reason: string) => badRequest('port_forwarding', reason);
  if (candidates.length === 0)
    throw refuse(`Requested internal port ${port.id} must allocate an IPv4 address at least.`);
  const fixed = candidates.find((ip) => ip.ip_address === rule.internal_ip_address);
  if (fixed === undefined) {
    const shown = quote(candidates);
    throw refuse(
      `Requested internal IP address ${rule.internal_ip_address} is not suitable for internal neutron port ${port.id}, as its fixed_ips are ${shown}`,
    );
  }
  const subnet = store.subnets.get(fixed.subnet_id);
  if (subnet === undefined) throw subnetNotFound(fixed.subnet_id);
  const routerId = wayOut(store, subnet, floatingIp.floating_network_id);
  if (routerId === undefined) {
    throw refuse(
      `External network ${floatingIp.floating_network_id} is not reachable from subnet ${subnet.id}. Cannot set Port forwarding for port ${port.id} with Floating IP ${floatingIp.id}`,
    );
  }
  if (floatingIp.router_id === null) revise(store.floatingIps, floatingIp, { router_id: routerId });
  else if (floatingIp.router_id !== routerId) {
    throw refuse(
      `The Floating IP ${floatingIp.id} had been set on router ${floatingIp.router_id}, the internal Neutron port ${port.id} can not reach it`,
    );
  }
}

function forbidFloatingIp({ store }: Context, rule: Rule): void {
  const [bound] = store.floatingIps.by('port', rule.internal_port_id);
  if (bound !== undefined) throw portHasFloatingIp(bound, rule.internal_port_id, rule.internal_ip_address);
}

/** One internal socket is forwarded to once, and one external one leads to one place. */
function forbidCollisions({ store }: Context, floatingIp: FloatingIpRow, rule: Rule, own: string | undefined): void {
  const same = (other: PortForwardingRow) => other.id !== own && other.protocol === rule.protocol;
  const collides = (which: 'internal' | 'external', port: number) => {
    const range = `${port}:${port}`;
    const why = `There is a port collision with the ${which}_port_range. The following ranges collides: ${range} and ${range}`;
    return badRequest('port_forwarding', why);
  };
  const inside = store.portForwardings
    .by('port', rule.internal_port_id)
    .filter((other) => same(other) && other.internal_ip_address === rule.internal_ip_address);
  if (inside.some((other) => other.internal_port === rule.internal_port))
    throw collides('internal', rule.internal_port);
  const outside = store.portForwardings.by('floatingIp', floatingIp.id).filter(same);
  if (outside.some((other) => other.external_port === rule.external_port))
    throw collides('external', rule.external_port);
}

function protocol(value: unknown, name: string): string {
  const said = typeof value === 'string' ? value.toLowerCase() : '';
  if (protocols.includes(said)) return said;
  const list = protocols.map((one) => `'${one}'`).join(', ');
  throw invalidAttribute(name, `'${value}' is not in [${list}]`);
}
