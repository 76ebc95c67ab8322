import type { Agent, FloatingIp, HostRoute, Network, Port, Router, Subnet } from '@astara/openstack/neutron-types.ts';
import { run } from './exec.ts';
import { LAB_HOST } from './lab.ts';
import { HttpError, Rest } from './rest.ts';

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
}

interface Kinds {
  network: Network;
  subnet: Subnet;
  port: Port;
  router: Router;
  floatingip: FloatingIp;
  security_group: SecurityGroup;
  agent: Agent;
}
export type Kind = keyof Kinds;
type Fields = Readonly<Record<string, unknown>>;
interface Identified {
  readonly id: string;
}

const collection = (kind: Kind) => `/${kind.replaceAll('_', '-')}s`;
const listed = (kind: Kind) => `${kind}s`;

/**
 * Neutron over REST, as administrator. What it creates carries the run's prefix (in its name, a floating IP in its
 * description), so that {@link cleanup} finds it again, also after a crash.
 */
export class Cloud {
  readonly prefix: string;
  readonly #rest = new Rest();
  #external: Promise<Network> | undefined;
  readonly #groups = new Map<string, Promise<SecurityGroup>>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  // Any object

  async create<K extends Kind>(kind: K, fields: Fields): Promise<Kinds[K]> {
    return unwrap(kind, await this.#rest.neutron('POST', collection(kind), { [kind]: fields }));
  }

  async get<K extends Kind>(kind: K, { id }: Identified): Promise<Kinds[K]> {
    return unwrap(kind, await this.#rest.neutron('GET', `${collection(kind)}/${id}`));
  }

  async list<K extends Kind>(kind: K, query: Record<string, string> = {}): Promise<Kinds[K][]> {
    const answer = await this.#rest.neutron<Record<string, Kinds[K][]>>(
      'GET',
      `${collection(kind)}?${new URLSearchParams(query)}`,
    );
    return answer[listed(kind)] ?? [];
  }

  async update<K extends Kind>(kind: K, { id }: Identified, fields: Fields): Promise<Kinds[K]> {
    return unwrap(kind, await this.#rest.neutron('PUT', `${collection(kind)}/${id}`, { [kind]: fields }));
  }

  /** Gone already is fine. */
  async delete(kind: Kind, { id }: Identified): Promise<void> {
    try {
      await this.#rest.neutron('DELETE', `${collection(kind)}/${id}`);
    } catch (error) {
      if (!(error instanceof HttpError && error.status === 404)) throw error;
    }
  }

  /** The real `openstack` client; returns what it prints. Slow: over a second per command. */
  cli(...args: string[]): Promise<string> {
    const env = { ...this.#rest.environment, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', no_proxy: '*' };
    return run(['openstack', ...args], { env, timeout: 60_000 });
  }

  /** A name that {@link cleanup} will recognise. */
  named(name: string): string {
    return `${this.prefix}-${name}`;
  }

  // What the tests are made of

  /** The lab's external network, 203.0.113.0/24 and 2001:db8:ffff::/64. */
  external(): Promise<Network> {
    this.#external ??= this.list('network', { name: 'ext' }).then(
      ([ext]) => ext ?? Promise.reject(new Error('no network ext')),
    );
    return this.#external;
  }

  createNetwork(name: string, fields: Fields = {}): Promise<Network> {
    return this.create('network', { name: this.named(name), ...fields });
  }

  createSubnet(network: Identified, cidr: string, fields: Fields = {}): Promise<Subnet> {
    const ip_version = cidr.includes(':') ? 6 : 4;
    return this.create('subnet', { name: this.named(cidr), network_id: network.id, cidr, ip_version, ...fields });
  }

  /** An IPv6 subnet whose router announces it and whose hosts choose their addresses. */
  createSlaacSubnet(network: Identified, cidr: string, fields: Fields = {}): Promise<Subnet> {
    return this.createSubnet(network, cidr, { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac', ...fields });
  }

  createRouter(name: string, fields: Fields = {}): Promise<Router> {
    return this.create('router', { name: this.named(name), ...fields });
  }

  /** `interface`: `{ subnet_id }` or `{ port_id }`. */
  async addInterface(router: Identified, target: { subnet_id: string } | { port_id: string }): Promise<void> {
    await this.#rest.neutron('PUT', `/routers/${router.id}/add_router_interface`, target);
  }

  async removeInterface(router: Identified, target: { subnet_id: string } | { port_id: string }): Promise<void> {
    await this.#rest.neutron('PUT', `/routers/${router.id}/remove_router_interface`, target);
  }

  /** `null` takes the gateway away. */
  setGateway(router: Identified, network: Identified | null, fields: Fields = {}): Promise<Router> {
    return this.update('router', router, {
      external_gateway_info: network ? { network_id: network.id, ...fields } : {},
    });
  }

  setRoutes(router: Identified, routes: readonly HostRoute[]): Promise<Router> {
    return this.update('router', router, { routes });
  }

  createPort(network: Identified, name: string, fields: Fields = {}): Promise<Port> {
    return this.create('port', { name: this.named(name), network_id: network.id, ...fields });
  }

  /** All of them in one request; what makes them different is in `fields`, one per port. */
  async createPorts(network: Identified, fields: readonly Fields[]): Promise<Port[]> {
    const ports = fields.map((one, at) => ({ name: this.named(`p${at}`), network_id: network.id, ...one }));
    return (await this.#rest.neutron<{ ports: Port[] }>('POST', '/ports', { ports })).ports;
  }

  /** On the lab's external network; `fields`: `port_id`, `fixed_ip_address`, `floating_ip_address`… */
  async createFloatingIp(fields: Fields = {}): Promise<FloatingIp> {
    const { id } = await this.external();
    return this.create('floatingip', { floating_network_id: id, description: this.prefix, ...fields });
  }

  /** Moves it to a port, or with `null` away from all. */
  updateFloatingIp(floatingIp: Identified, port: Identified | null, fields: Fields = {}): Promise<FloatingIp> {
    return this.update('floatingip', floatingIp, { port_id: port?.id ?? null, ...fields });
  }

  /** A security group that lets everything in and out; one per project (default: the administrator's). */
  openGroup(project_id?: string): Promise<SecurityGroup> {
    const key = project_id ?? '';
    const group = this.#groups.get(key) ?? this.#createOpenGroup(project_id);
    this.#groups.set(key, group);
    return group;
  }

  async #createOpenGroup(project_id?: string): Promise<SecurityGroup> {
    const owner = project_id === undefined ? {} : { project_id };
    const group = await this.create('security_group', { name: this.named('open'), ...owner });
    for (const ethertype of ['IPv4', 'IPv6']) {
      const security_group_rule = { security_group_id: group.id, direction: 'ingress', ethertype, ...owner };
      await this.#rest.neutron('POST', '/security-group-rules', { security_group_rule });
    }
    return group;
  }

  /** An agent of the lab's host. */
  async agent(agent_type: string): Promise<Agent | undefined> {
    return (await this.list('agent', { agent_type, host: LAB_HOST }))[0];
  }

  // The end

  /** Deletes everything of this run, in the order that Neutron allows. Goes on after a failure and rejects at the end. */
  async cleanup(): Promise<void> {
    const failures: unknown[] = [];
    const each = async <T>(items: T[], work: (item: T) => Promise<void>) => {
      const results = await Promise.allSettled(items.map(work));
      for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
    };
    const mine = async <K extends 'network' | 'router' | 'port' | 'security_group'>(kind: K) =>
      (await this.list(kind)).filter(({ name }) => name.startsWith(`${this.prefix}-`));

    await each(await this.list('floatingip', { description: this.prefix }), (item) => this.delete('floatingip', item));
    await each(await mine('router'), (router) => this.#deleteRouter(router));
    await each(await mine('port'), (port) => this.delete('port', port));
    await each(await mine('network'), (network) => this.#deleteNetwork(network));
    await each(await mine('security_group'), (group) => this.delete('security_group', group));
    if (failures.length > 0)
      throw new AggregateError(failures, `cleanup of ${this.prefix}: ${failures.map(String).join('; ')}`);
  }

  async #deleteRouter(router: Router): Promise<void> {
    if (router.routes.length > 0) await this.setRoutes(router, []);
    for (const port of await this.list('port', { device_id: router.id })) {
      if (port.device_owner.endsWith('router_interface')) await this.removeInterface(router, { port_id: port.id });
    }
    await this.delete('router', router);
  }

  /** With ports on it that nobody of this run named (made by `openstack`, by a driver…). */
  async #deleteNetwork(network: Network): Promise<void> {
    for (const port of await this.list('port', { network_id: network.id })) {
      if (!port.device_owner.startsWith('network:')) await this.delete('port', port);
    }
    await this.delete('network', network);
  }
}

function unwrap<K extends Kind>(kind: K, answer: unknown): Kinds[K] {
  return (answer as Record<K, Kinds[K]>)[kind];
}
