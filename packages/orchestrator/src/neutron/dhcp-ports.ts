import type { ResourceKey } from '@astara/model/instance.ts';
import type { Port, Subnet } from '@astara/openstack/neutron-types.ts';
import type { Logger } from 'pino';
import { errors } from '../errors.ts';
import { dhcpDeviceId, RESERVED_DEVICE_ID } from './device-id.ts';
import type { Gate } from './gate.ts';
import { isDhcpClient } from './machinery.ts';
import type { Mirror } from './mirror/mirror.ts';
import type { NetworkView } from './mirror/networks.ts';
import { Refresher } from './refresher.ts';
import type { DhcpPortRequest, NeutronRpc } from './rpc.ts';

export interface DhcpPortsOptions {
  readonly rpc: NeutronRpc;
  readonly mirror: Mirror;
  /** Nobody waits for a port to be given back. */
  readonly gate: Gate;
  /** Whether the network is served by an instance of its own. */
  readonly needed: (networkId: string) => boolean;
  readonly changed: (keys: readonly ResourceKey[]) => void;
  /** A port of ours came to be: Neutron waits for DHCP on it too. */
  readonly provisioned: (port: Port) => void;
  readonly logger: Logger;
  /**
   * Milliseconds for which a network without a client must have lacked its port before one is made: most get a router in a
   * moment, and one that is being deleted must not get another.
   */
  readonly createAfter?: number;
  /** Milliseconds for which a port must have been needless before it is given back: a router that comes and goes costs no address. */
  readonly releaseAfter?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

/**
 * Sees to it that a network has a DHCP port of this host exactly when an instance of its own serves it. The drivers never wait
 * for this: a port that has come to be enters the mirror, and the network's key the queue.
 */
export class DhcpPorts {
  readonly #options: DhcpPortsOptions;
  readonly #worker: Refresher;
  /** Since when the plan for a network has been the one it is, on the monotonic clock. */
  readonly #planned = new Map<string, { readonly kind: Plan['kind']; readonly since: number }>();

  constructor(options: DhcpPortsOptions) {
    this.#options = options;
    const { gate, logger, timeout = 15_000 } = options;
    gate.onOpen(() => this.check([...this.#planned.keys()]));
    this.#worker = new Refresher({
      pageSize: { max: 1, min: 1 },
      concurrency: 2,
      timeout: { base: timeout, perItem: 0, max: 60_000 },
      retry: { base: 500, cap: 5000 },
      ask: async ([id], { timeout, signal }) => {
        if (id !== undefined) await this.#ensure(id, timeout, signal);
        return [];
      },
      onError: (error, ids) => logger.warn({ err: error, network: ids[0] }, 'DHCP port not as it should be yet'),
    });
  }

  /** Something about the network changed, or who serves it. */
  check(networkIds: Iterable<string>): void {
    const differing = [...networkIds].filter((id) => this.#plan(id) !== undefined);
    if (differing.length > 0) this.#worker.mark(differing, { urgent: true });
  }

  kick(): void {
    this.#worker.kick();
  }

  get idle(): boolean {
    return this.#worker.size === 0;
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
  }

  /** What is to be done for the network; nothing while too little is known to say. */
  #plan(id: string): Plan | undefined {
    const plan = this.#planFor(id);
    if (plan === undefined) this.#planned.delete(id);
    else if (this.#planned.get(id)?.kind !== plan.kind)
      this.#planned.set(id, { kind: plan.kind, since: performance.now() });
    return plan;
  }

  #planFor(id: string): Plan | undefined {
    const { mirror, needed, rpc } = this.#options;
    const network = mirror.networks.get(id);
    if (!mirror.filled || !mirror.dhcp.up || network === undefined || !network.scheduled) return undefined;
    const own = ownDhcpPort(network, rpc.host);
    if (needed(id)) return this.#planNeeded(network, own);
    return own === undefined ? undefined : { kind: 'release', port: own };
  }

  /** Milliseconds for which the plan must still hold before it is carried out. */
  #patience(id: string, plan: Plan): number {
    const { createAfter = 3000, releaseAfter = 5000 } = this.#options;
    if (plan.kind === 'update') return 0;
    if (plan.kind === 'create' && plan.network.ports.some(isDhcpClient)) return 0;
    const since = this.#planned.get(id)?.since ?? performance.now();
    return since + (plan.kind === 'create' ? createAfter : releaseAfter) - performance.now();
  }

  #planNeeded(network: NetworkView, own: Port | undefined): Plan | undefined {
    const subnets = dhcpSubnets(network);
    const port = own ?? network.ports.find((candidate) => candidate.device_id === RESERVED_DEVICE_ID);
    if (port === undefined) return { kind: 'create', network, subnets };
    const has = new Set(port.fixed_ips.map((ip) => ip.subnet_id));
    const fits = has.size === subnets.length && subnets.every((subnet) => has.has(subnet.id));
    if (fits && port === own && (port['binding:host_id'] ?? this.#options.rpc.host) === this.#options.rpc.host)
      return undefined;
    return { kind: 'update', network, subnets, port, readdress: !fits };
  }

  async #ensure(id: string, timeout: number, signal: AbortSignal): Promise<void> {
    const { rpc, mirror, gate, changed, provisioned, logger } = this.#options;
    const plan = this.#plan(id);
    if (plan === undefined || (plan.kind === 'release' && !gate.isOpen)) return;
    const patience = this.#patience(id, plan);
    if (patience > 0) {
      this.#worker.mark([id], { urgent: true, grace: patience });
      return;
    }
    const options = { timeout, signal };
    const began = mirror.stamp();
    const device_id = dhcpDeviceId(rpc.host, id);
    if (plan.kind === 'release') {
      await rpc.releaseDhcpPort(id, device_id, options);
      logger.info({ network: id, port: plan.port.id }, 'DHCP port released');
      changed(mirror.removePort(plan.port.id));
      return;
    }
    const request: DhcpPortRequest = { network_id: id, device_id };
    const port =
      plan.kind === 'create'
        ? await rpc.createDhcpPort(
            {
              ...request,
              name: '',
              admin_state_up: true,
              project_id: plan.network.tenant_id,
              tenant_id: plan.network.tenant_id,
              fixed_ips: plan.subnets.map((subnet) => ({ subnet_id: subnet.id })),
            },
            options,
          )
        : await rpc.updateDhcpPort(
            plan.port.id,
            plan.readdress ? { ...request, fixed_ips: addresses(plan.port, plan.subnets) } : request,
            options,
          );
    if (port === null) throw errors.make('NEUTRON_NO_DHCP_PORT', { network: id });
    logger.info({ network: id, port: port.id, how: plan.kind }, 'DHCP port ready');
    const keys = mirror.ingestPort(port, began);
    provisioned(port);
    changed([...keys, { kind: 'network', id }]);
  }
}

type Plan =
  | { readonly kind: 'create'; readonly network: NetworkView; readonly subnets: readonly Subnet[] }
  | {
      readonly kind: 'update';
      readonly network: NetworkView;
      readonly subnets: readonly Subnet[];
      readonly port: Port;
      readonly readdress: boolean;
    }
  | { readonly kind: 'release'; readonly port: Port };

/** The DHCP port of this host on the network. */
export function ownDhcpPort(network: NetworkView, host: string): Port | undefined {
  const device = dhcpDeviceId(host, network.id);
  return network.ports.find((port) => port.device_owner === 'network:dhcp' && port.device_id === device);
}

export function dhcpSubnets(network: NetworkView): Subnet[] {
  return network.subnets.filter((subnet) => subnet.enable_dhcp);
}

/** Addresses that still fit are kept. Those that follow from the MAC (SLAAC) are Neutron's to make. */
function addresses(port: Port, subnets: readonly Subnet[]): NonNullable<DhcpPortRequest['fixed_ips']> {
  return subnets.map((subnet) => {
    const held = port.fixed_ips.find((ip) => ip.subnet_id === subnet.id);
    const automatic = subnet.ipv6_address_mode === 'slaac' || subnet.ipv6_address_mode === 'dhcpv6-stateless';
    return held === undefined || automatic ? { subnet_id: subnet.id } : { ...held };
  });
}
