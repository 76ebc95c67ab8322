import { randomUUID } from 'node:crypto';
import type { Context } from '../api/resource.ts';
import { announcedPorts } from '../network/announced-ports.ts';
import { maySee } from '../network/networks.ts';
import { defaultGroup } from '../network/security-groups.ts';
import { timestamp } from '../network/touch.ts';
import type { PortRow, ServerRow } from '../store/rows.ts';
import { flavors, images } from './catalog.ts';
import { badRequest, fromNeutron, NovaFault, noFlavor, noServer } from './fault.ts';
import type { NetworkRequest, ServerRequest } from './server-request.ts';
import { portsOf } from './server-view.ts';

/** What is done to servers in the store; `power.ts` makes it true. */
export class Servers {
  readonly #host: string;

  /** `host`: where all servers run. */
  constructor(host: string) {
    this.#host = host;
  }

  list({ store, caller }: Context, allProjects = false): ServerRow[] {
    const rows = allProjects && caller.isAdmin ? store.servers.all() : store.servers.by('project', caller.projectId);
    return rows.reverse(); // the newest first
  }

  /** Throws 404, also for servers that the caller may not see. */
  get({ store, caller }: Context, id: string): ServerRow {
    const row = store.servers.get(id);
    if (row === undefined || !(caller.isAdmin || row.project_id === caller.projectId)) throw noServer(id);
    return row;
  }

  /** Answers the first of them. */
  create(context: Context, request: ServerRequest): ServerRow {
    const { store, caller } = context;
    if (!flavors.some(({ id }) => id === request.flavor)) throw noFlavor(request.flavor);
    if (!images.some(({ id }) => id === request.image)) throw badRequest('Can not find requested image');
    if (request.keyName !== null && store.keypairs.get(`${caller.userId}/${request.keyName}`) === undefined) {
      throw badRequest('Invalid key_name provided.');
    }
    const networks = request.networks ?? atHand(context);
    const groups = request.securityGroups?.map((name) => groupOf(context, name));
    const rows = Array.from({ length: request.count }, (_, at) => {
      const name = request.count === 1 ? request.name : `${request.name}-${at + 1}`;
      return this.#createOne(context, { ...request, name }, networks, groups);
    });
    return rows[0] as ServerRow;
  }

  /** Its own ports go with it; those that were given to it are free again. */
  remove(context: Context, row: ServerRow): void {
    const kept = new Set(row.ports.flatMap((port) => (port.kept ? [port.id] : [])));
    for (const port of portsOf(context.store, row)) {
      if (!kept.has(port.id)) announcedPorts.remove(context, port);
      else announcedPorts.change(context, port, { device_id: '', device_owner: '', host_id: '' });
    }
    context.store.servers.delete(row.id);
  }

  start(context: Context, row: ServerRow): void {
    if (row.status !== 'SHUTOFF') throw inState(row, 'start');
    this.change(context, row, { power: 'on' });
  }

  stop(context: Context, row: ServerRow): void {
    if (row.status !== 'ACTIVE' && row.status !== 'ERROR') throw inState(row, 'stop');
    this.change(context, row, { power: 'off' });
  }

  change({ store }: Context, row: ServerRow, patch: Partial<ServerRow>): ServerRow {
    return store.servers.put({ ...row, ...patch, updated_at: timestamp() });
  }

  #createOne(
    context: Context,
    request: ServerRequest,
    networks: readonly NetworkRequest[],
    groups: readonly string[] | undefined,
  ): ServerRow {
    const { caller } = context;
    const now = timestamp();
    const id = randomUUID();
    const ports = this.#plugAll(context, id, networks, groups);
    return context.store.servers.put({
      id,
      name: request.name,
      project_id: caller.projectId,
      user_id: caller.userId,
      status: 'BUILD',
      power: 'on',
      host: this.#host,
      flavor_id: request.flavor,
      image_id: request.image,
      user_data: request.userData,
      key_name: request.keyName,
      metadata: request.metadata,
      ports: ports.map((port, at) => ({ id: port.id, kept: networks[at]?.port !== undefined })),
      fault: null,
      created_at: now,
      updated_at: now,
      launched_at: null,
    });
  }

  #plugAll(
    context: Context,
    id: string,
    networks: readonly NetworkRequest[],
    groups: readonly string[] | undefined,
  ): PortRow[] {
    try {
      return networks.map((network) => this.#plug(context, id, network, groups));
    } catch (error) {
      throw fromNeutron(error);
    }
  }

  #plug(context: Context, id: string, wanted: NetworkRequest, groups: readonly string[] | undefined): PortRow {
    const { store, caller } = context;
    const binding = { device_id: id, device_owner: 'compute:nova', host_id: this.#host };
    if (wanted.port !== undefined) {
      return announcedPorts.change(context, freePort(context, wanted.port), binding);
    }
    const network = store.networks.get(wanted.uuid ?? '');
    if (network === undefined || !maySee(context, network)) {
      throw badRequest(`Network ${wanted.uuid} could not be found.`);
    }
    if (network.external && !network.shared && !caller.isAdmin) {
      throw new NovaFault(403, `It is not allowed to create an interface on external network ${network.id}`);
    }
    return announcedPorts.create(context, {
      ...binding,
      network_id: network.id,
      project_id: caller.projectId,
      ...(wanted.fixedIp === undefined ? {} : { fixed_ips: [{ ip_address: wanted.fixedIp }] }),
      ...(groups === undefined ? {} : { security_groups: groups }),
    });
  }
}

function inState(row: ServerRow, action: string): NovaFault {
  const state = { BUILD: 'building', ACTIVE: 'active', SHUTOFF: 'stopped', ERROR: 'error' }[row.status];
  return new NovaFault(409, `Cannot '${action}' instance ${row.id} while it is in vm_state ${state}`);
}

/** For a server that names no network: the only one of its project, or none if there is none. */
function atHand(context: Context): NetworkRequest[] {
  const { store, caller } = context;
  const own = store.networks.by('project', caller.projectId).filter(({ external }) => !external);
  const found = own.length > 0 ? own : store.networks.all().filter(({ shared, external }) => shared && !external);
  if (found.length > 1) {
    throw new NovaFault(409, 'Multiple possible networks found, use a Network ID to be more specific.');
  }
  return found.map(({ id }) => ({ uuid: id }));
}

function freePort({ store, caller }: Context, id: string): PortRow {
  const port = store.ports.get(id);
  if (port === undefined || !(caller.isAdmin || port.project_id === caller.projectId)) {
    throw badRequest(`Port ${id} could not be found.`);
  }
  if (port.device_id !== '') throw new NovaFault(409, `Port ${id} is still in use.`);
  return port;
}

/** Id of a security group of the caller's project, by id or name. */
function groupOf(context: Context, name: string): string {
  const { store, caller } = context;
  const found = store.securityGroups
    .by('project', caller.projectId)
    .filter((group) => group.id === name || group.name === name);
  if (found.length > 1)
    throw new NovaFault(409, `Multiple security groups found matching '${name}'. Use an ID to be more specific.`);
  const [group] = found;
  // A project's default group is made when its first port needs it.
  if (group === undefined && name !== 'default')
    throw badRequest(`Security group ${name} not found for project ${caller.projectId}.`);
  return group?.id ?? defaultGroup(context, caller.projectId).id;
}
