import { ipVersion } from '@astara/model/ip.ts';
import { ipAddress, orNull, uuid } from '../api/parse.ts';
import type { Body, Context, Resource } from '../api/resource.ts';
import { standardAttributes } from '../api/standard.ts';
import { floatingIpOwner } from '../network/device-owners.ts';
import { namedNetwork } from '../network/networks.ts';
import { dropPort, makePort } from '../network/ports.ts';
import { newStandard, revise } from '../network/touch.ts';
import type { FloatingIpRow, NetworkRow } from '../store/rows.ts';
import { associate } from './association.ts';
import { addressesExhausted, badRequest, floatingIpForwards, floatingIpNotFoundMessage } from './faults.ts';
import { floatingIpView } from './floating-ip-view.ts';

interface FloatingIpBody {
  readonly project_id: string;
  readonly description: string;
  readonly floating_network_id: string;
  readonly floating_ip_address: string | null;
  readonly subnet_id: string | null;
  readonly port_id: string | null;
  readonly fixed_ip_address: string | null;
}

export function floatingIpResource(): Resource<FloatingIpRow> {
  return {
    singular: 'floatingip',
    plural: 'floatingips',
    attributes: {
      ...standardAttributes,
      floating_network_id: { parse: uuid, post: 'required' },
      floating_ip_address: { parse: orNull(ipAddress), post: true, adminSets: true, default: null },
      subnet_id: { parse: orNull(uuid), post: true, default: null },
      port_id: { parse: orNull(uuid), post: true, put: true, default: null },
      fixed_ip_address: { parse: orNull(ipAddress), post: true, put: true, default: null },
      router_id: {},
      status: {},
      port_details: { filter: false, sort: false },
      port_forwardings: { filter: false, sort: false },
    },
    notFound: { type: 'FloatingIPNotFound', message: floatingIpNotFoundMessage },
    list: ({ store, caller }) =>
      caller.isAdmin ? store.floatingIps.all() : store.floatingIps.by('project', caller.projectId),
    get: ({ store }, id) => store.floatingIps.get(id),
    view: ({ store }, row) => floatingIpView(store, row),
    create,
    update,
    remove: removeFloatingIp,
    retag: ({ store }, row, tags) => void revise(store.floatingIps, row, { tags }),
    lookup: {
      project_id: by('project'),
      tenant_id: by('project'),
      port_id: by('port'),
      router_id: by('router'),
      floating_network_id: by('network'),
    },
  };
}

const by =
  (index: 'project' | 'port' | 'router' | 'network') =>
  ({ store }: Context, value: string): FloatingIpRow[] =>
    store.floatingIps.by(index, value);

function create(context: Context, body: Body): FloatingIpRow {
  const given = body as unknown as FloatingIpBody;
  const network = externalNetwork(context, given.floating_network_id);
  const standard = newStandard(given.project_id ?? context.caller.projectId, given.description);
  const { id, address } = makeFloatingPort(context, network, standard.id, given);
  const row: FloatingIpRow = {
    ...standard,
    floating_network_id: network.id,
    floating_ip_address: address,
    floating_port_id: id,
    fixed_ip_address: null,
    port_id: null,
    router_id: null,
    last_known_router_id: null,
    status: 'DOWN',
    dns_name: '',
    dns_domain: '',
  };
  return context.store.floatingIps.put({ ...row, ...pickAssociation(associate(context, row, given)) });
}

function update(context: Context, row: FloatingIpRow, body: Body): FloatingIpRow {
  const given = body as Partial<FloatingIpBody>;
  const { store } = context;
  const association = associate(context, row, given);
  const forwards = store.portForwardings.by('floatingIp', row.id).length > 0;
  if (forwards && given.port_id !== undefined && given.port_id !== null) throw floatingIpForwards(row.id);
  return revise(store.floatingIps, row, {
    ...pickAssociation(association),
    last_known_router_id: row.router_id,
    description: given.description ?? row.description,
  });
}

export function removeFloatingIp(context: Context, row: FloatingIpRow): void {
  const { store } = context;
  if (store.portForwardings.by('floatingIp', row.id).length > 0) throw floatingIpForwards(row.id);
  store.floatingIps.delete(row.id);
  const port = store.ports.get(row.floating_port_id);
  if (port !== undefined) dropPort(context, port);
}

const pickAssociation = ({ port_id, fixed_ip_address, router_id }: FloatingIpRow | ReturnType<typeof associate>) => ({
  port_id,
  fixed_ip_address,
  router_id,
});

function externalNetwork(context: Context, id: string): NetworkRow {
  const network = namedNetwork(context, id);
  if (!network.external) throw badRequest('floatingip', `Network ${id} is not a valid external network`);
  if (!context.store.subnets.by('network', id).some((subnet) => subnet.ip_version === 4))
    throw badRequest('floatingip', `Network ${id} does not contain any IPv4 subnet`);
  return network;
}

/** The floating address is held by a port of its own, which nobody sees but administrators. */
function makeFloatingPort(context: Context, network: NetworkRow, floatingIpId: string, given: FloatingIpBody) {
  const wanted = {
    ...(given.subnet_id === null ? {} : { subnet_id: given.subnet_id }),
    ...(given.floating_ip_address === null ? {} : { ip_address: given.floating_ip_address }),
  };
  const port = makePort(context, {
    network_id: network.id,
    project_id: '',
    device_id: floatingIpId,
    device_owner: floatingIpOwner,
    ...(Object.keys(wanted).length === 0 ? {} : { fixed_ips: [wanted] }),
  });
  const address = port.fixed_ips.find((ip) => ipVersion(ip.ip_address) === 4)?.ip_address;
  if (address === undefined) throw addressesExhausted(network.id);
  return { id: port.id, address };
}
