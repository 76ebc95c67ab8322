import type { Port } from '@astara/openstack/neutron-types.ts';
import type { Logger } from 'pino';
import type { Gate } from './gate.ts';
import { Index } from './mirror/members.ts';
import type { Mirror } from './mirror/mirror.ts';
import { portText } from './mirror/relevant.ts';
import { Repeater } from './repeater.ts';
import type { NeutronRpc } from './rpc.ts';

export interface DhcpReadyOptions {
  readonly rpc: NeutronRpc;
  readonly mirror: Mirror;
  /** What nobody waits for goes when it is open. */
  readonly gate: Gate;
  readonly logger: Logger;
  /** Milliseconds to gather more ports before they are reported. */
  readonly gather?: number;
  /** Ports in one call. */
  readonly batch?: number;
  /** Milliseconds. Neutron takes up to 5 s for one port that is not bound. */
  readonly timeout?: number;
}

/** Port id → {@link portText} of the port that a configuration was built from. */
export type Served = ReadonlyMap<string, string>;

/** By network id. */
export type ServedNetworks = ReadonlyMap<string, Served>;

/**
 * Tells Neutron that DHCP is ready for ports, without which they never go ACTIVE: once per event of a port, as soon as what the
 * mirror says of it is in force on the data plane.
 */
export class DhcpReady {
  readonly #options: DhcpReadyOptions;
  readonly #sender: Repeater;
  /** Per server (a resource with an instance), what it has in force on which networks. */
  readonly #inForce = new Map<string, ServedNetworks>();
  /** Per network, its servers. */
  readonly #servers = new Index();
  /** Per network, the ports that Neutron waits for, and whether a user does. */
  readonly #awaited = new Map<string, Map<string, boolean>>();
  readonly #told = new Set<string>();
  /** Ports to tell of: those that a user waits for, and the others. */
  readonly #urgent = new Set<string>();
  readonly #ready = new Set<string>();

  constructor(options: DhcpReadyOptions) {
    this.#options = options;
    this.#sender = new Repeater((attempt, signal) => this.#send(attempt, signal), {
      base: 500,
      cap: 5000,
      onError: (error, attempt) => options.logger.warn({ err: error, attempt }, 'ports not reported as ready yet'),
    });
    options.gate.onOpen(() => this.#flush());
  }

  /** The port was made or changed: Neutron may wait for DHCP. */
  event(port: Pick<Port, 'id' | 'network_id'>): void {
    this.#await(port, true);
    this.#check(port.network_id);
  }

  /** The network was listed anew: ports that are not ACTIVE may wait since before our time. `urgent`: a user waits for the network. */
  listed(networkId: string, urgent: boolean): void {
    for (const port of this.#options.mirror.networks.get(networkId)?.ports ?? []) {
      if (port.status !== 'ACTIVE' && !this.#told.has(port.id)) this.#await(port, urgent);
    }
    this.#check(networkId);
  }

  /** The resource's instance serves this, and nothing else, now. */
  applied(resourceId: string, served: ServedNetworks): void {
    this.removed(resourceId);
    if (served.size > 0) this.#inForce.set(resourceId, served);
    for (const networkId of served.keys()) this.#servers.add(networkId, resourceId);
    for (const networkId of served.keys()) this.#check(networkId);
  }

  /** The resource has no instance any more. */
  removed(resourceId: string): void {
    for (const networkId of this.#inForce.get(resourceId)?.keys() ?? []) this.#servers.remove(networkId, resourceId);
    this.#inForce.delete(resourceId);
  }

  get idle(): boolean {
    return this.#sender.idle && this.#urgent.size === 0 && this.#ready.size === 0;
  }

  async stop(): Promise<void> {
    await this.#sender.stop();
  }

  #await({ id, network_id }: Pick<Port, 'id' | 'network_id'>, urgent: boolean): void {
    const awaited = this.#awaited.get(network_id) ?? new Map<string, boolean>();
    this.#awaited.set(network_id, awaited.set(id, urgent || (awaited.get(id) ?? false)));
  }

  #check(networkId: string): void {
    const awaited = this.#awaited.get(networkId);
    if (awaited === undefined) return;
    const served = this.#servers
      .members(networkId)
      .map((server) => this.#inForce.get(server)?.get(networkId))
      .filter((ports) => ports !== undefined);
    for (const [id, urgent] of awaited) {
      const port = this.#options.mirror.networks.port(id);
      if (port === undefined) awaited.delete(id);
      // A port that is not bound cannot go ACTIVE, and Neutron takes seconds to find out. Binding it is an event.
      if (port === undefined || port['binding:host_id'] === '') continue;
      if (!served.some((ports) => ports.get(id) === portText(port))) continue;
      awaited.delete(id);
      (urgent ? this.#urgent : this.#ready).add(id);
    }
    if (awaited.size === 0) this.#awaited.delete(networkId);
    this.#flush();
  }

  #flush(): void {
    if (this.#hasDue) this.#sender.request(this.#options.gather ?? 20);
  }

  get #hasDue(): boolean {
    return this.#urgent.size > 0 || (this.#options.gate.isOpen && this.#ready.size > 0);
  }

  async #send(attempt: number, signal: AbortSignal): Promise<void> {
    const { rpc, gate, batch = 64, timeout = 20_000 } = this.#options;
    const urgent = [...this.#urgent.values().take(batch)];
    const others = gate.isOpen ? [...this.#ready.values().take(batch - urgent.length)] : [];
    const ids = [...new Set([...urgent, ...others])];
    if (ids.length === 0) return;
    for (const id of ids) {
      this.#urgent.delete(id);
      this.#ready.delete(id);
    }
    try {
      await rpc.dhcpReadyOnPorts(ids, { timeout: Math.min(60_000, timeout * 2 ** attempt), signal });
    } catch (error) {
      for (const id of urgent) this.#urgent.add(id);
      for (const id of others) this.#ready.add(id);
      throw error;
    }
    for (const id of ids) this.#told.add(id);
    if (this.#hasDue) this.#sender.request();
  }
}
