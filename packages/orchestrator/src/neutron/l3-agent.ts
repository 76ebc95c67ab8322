import type { CallOptions, Handler } from '@astara/messaging/contract.ts';
import { Priority } from '../queue/priority.ts';
import { FloatingIpReporter } from './floating-ip-reporter.ts';
import { ids, objectOf, textOf } from './payload.ts';
import { Role, type RoleDeps } from './role.ts';
import type { AgentState } from './rpc.ts';

/** How long a cast waits for the notification of the same change, which may make asking for the router unnecessary. */
const CAST_GRACE = 50;

/** The `L3 agent` of this host: keeps the routers of the mirror as Neutron has them. */
export class L3Agent {
  readonly role: Role;
  readonly floatingIps: FloatingIpReporter;
  readonly #deps: RoleDeps;
  /** Routers of the full list under way that have not been synchronised yet. */
  #outstanding: Set<string> | undefined;

  constructor(deps: RoleDeps) {
    this.#deps = deps;
    const { rpc, mirror, options, gate, changed, logger } = deps;
    this.floatingIps = new FloatingIpReporter({ rpc, mirror, gate, logger });
    this.role = new Role(deps, {
      topic: 'l3_agent',
      version: '1.5',
      serves: 'routers',
      part: mirror.l3,
      state: () => this.state(),
      handlers: this.#handlers(),
      list: (call) => this.#list(call),
      listTimeout: options.firstTimeout,
      refresher: {
        pageSize: { start: 8, max: options.syncPageSize, min: Math.min(32, options.syncPageSize) },
        concurrency: 1,
        timeout: { base: options.firstTimeout, perItem: 50, max: options.rpcResponseTimeout },
        ask: async (asked, { timeout, signal, since, urgent }) => {
          const began = mirror.stamp();
          const answer = await rpc.syncRouters(asked, { timeout, signal });
          const { keys, outdated } = mirror.ingestRouters(asked, answer, began, since);
          changed(keys, asked.some(urgent) ? Priority.user : Priority.resync);
          this.#synchronised(asked);
          return outdated;
        },
        onError: (error, asked) => logger.warn({ err: error, routers: asked.length }, 'routers not refreshed yet'),
      },
    });
  }

  async stop(): Promise<void> {
    await Promise.all([this.role.stop(), this.floatingIps.stop()]);
  }

  /** Routers that must be asked for. */
  refresh(routerIds: Iterable<string>, since?: number, options: { urgent?: boolean; grace?: number } = {}): void {
    this.role.refresh(routerIds, since, options);
  }

  /** It is not on this host any more. */
  remove(routerId: string, since?: number): void {
    this.role.forget(routerId);
    this.#synchronised([routerId]);
    this.#deps.changed(this.#deps.mirror.removeRouter(routerId, since), Priority.user);
  }

  /** What `report_state` says. */
  state(): AgentState {
    const { mirror, options } = this.#deps;
    const routers = mirror.l3.up ? mirror.routers.values() : [];
    return {
      binary: 'neutron-l3-agent',
      agentType: 'L3 agent',
      topic: 'l3_agent',
      configurations: {
        agent_mode: 'legacy',
        handle_internal_only_routers: true,
        interface_driver: options.interfaceDriver,
        log_agent_heartbeats: false,
        extensions: [],
        routers: routers.length,
        ex_gw_ports: routers.filter((router) => router.gw_port !== undefined).length,
        interfaces: routers.reduce((sum, router) => sum + (router._interfaces?.length ?? 0), 0),
        floating_ips: routers.reduce((sum, router) => sum + mirror.floatingIps.ofRouter(router.id).length, 0),
      },
    };
  }

  async #list(call: CallOptions): Promise<void> {
    const { rpc, mirror, changed } = this.#deps;
    const began = mirror.stamp();
    const listed = await rpc.getRouterIds(call);
    changed(mirror.ingestRouterIds(listed, began), Priority.resync);
    this.#outstanding = new Set(listed);
    this.role.refresh(listed, undefined, { urgent: false });
    this.#synchronised([]);
  }

  #synchronised(routerIds: readonly string[]): void {
    if (this.#outstanding === undefined) return;
    for (const id of routerIds) this.#outstanding.delete(id);
    if (this.#outstanding.size > 0) return;
    this.#outstanding = undefined;
    this.role.inSync(this.#deps.mirror.routers.ids().length);
  }

  #handlers(): Record<string, Handler> {
    const { mirror } = this.#deps;
    const ignored: Handler = () => null;
    return {
      routers_updated: ({ args, context }) => {
        this.refresh(ids(args.routers), context.timestamp, { grace: CAST_GRACE });
        return null;
      },
      router_added_to_agent: ({ args, context }) => {
        this.refresh(ids(args.payload), context.timestamp);
        return null;
      },
      router_deleted: ({ args, context }) => {
        const id = textOf(args.router_id);
        if (id !== undefined) this.remove(id, context.timestamp);
        return null;
      },
      router_removed_from_agent: ({ args, context }) => {
        const id = textOf(objectOf(args.payload)?.router_id);
        if (id === undefined) return null;
        this.remove(id, context.timestamp);
        // It may have been added again already: casts of two kinds have no order.
        this.refresh([id], undefined, { urgent: false, grace: 2000 });
        return null;
      },
      network_update: ({ args, context }) => {
        const id = textOf(objectOf(args.network)?.id);
        if (id !== undefined) this.refresh(mirror.routers.onNetwork(id), context.timestamp, { grace: CAST_GRACE });
        return null;
      },
      port_update: ({ args, context }) => {
        const id = textOf(objectOf(args.port)?.id);
        const router = id === undefined ? undefined : mirror.routers.ofPort(id);
        if (router !== undefined) this.refresh([router], context.timestamp, { grace: CAST_GRACE });
        return null;
      },
      // Of distributed routers.
      add_arp_entry: ignored,
      del_arp_entry: ignored,
      delete_fipnamespace_for_ext_net: ignored,
      fipnamespace_delete_on_ext_net: ignored,
    };
  }
}
