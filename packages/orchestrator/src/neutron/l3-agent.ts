import type { Handler, Messaging, Subscription } from '@astara/messaging/contract.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import { Priority } from '../queue/priority.ts';
import { FloatingIpReporter } from './floating-ip-reporter.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Mirror } from './mirror/mirror.ts';
import type { RoleOptions } from './options.ts';
import { ids, objectOf, textOf } from './payload.ts';
import { Refresher } from './refresher.ts';
import { Repeater } from './repeater.ts';
import type { AgentState, NeutronRpc } from './rpc.ts';

export interface L3AgentDeps {
  readonly messaging: Messaging;
  readonly rpc: NeutronRpc;
  readonly mirror: Mirror;
  readonly options: RoleOptions;
  /** Resources may look different now. */
  readonly changed: (keys: readonly ResourceKey[], priority: Priority) => void;
  readonly logger: Logger;
}

/** How long a cast waits for the notification of the same change, which may make asking for the router unnecessary. */
const CAST_GRACE = 50;

/**
 * The `L3 agent` of this host: keeps itself alive in Neutron's eyes and the routers of the mirror as Neutron has them.
 */
export class L3Agent {
  readonly floatingIps: FloatingIpReporter;
  readonly #deps: L3AgentDeps;
  readonly #heartbeat: Heartbeat;
  readonly #lister: Repeater;
  readonly #refresher: Refresher;
  /** Routers of the full list under way that have not been synchronised yet. */
  #outstanding: Set<string> | undefined;
  #resyncTimer: NodeJS.Timeout | undefined;
  #subscription: Subscription | undefined;

  constructor(deps: L3AgentDeps) {
    this.#deps = deps;
    const { rpc, mirror, options, logger } = deps;
    this.floatingIps = new FloatingIpReporter({ rpc, mirror, logger });
    this.#heartbeat = new Heartbeat({
      rpc,
      state: () => this.state(),
      interval: options.reportInterval,
      downTime: options.agentDownTime,
      onLapse: (why) => this.resync(why),
      logger,
    });
    this.#lister = new Repeater((attempt, signal) => this.#list(attempt, signal), {
      ...options.retry,
      onError: (error, attempt) => logger.warn({ err: error, attempt }, 'routers of this host not listed yet'),
    });
    this.#refresher = new Refresher({
      pageSize: { start: 8, max: options.syncPageSize, min: Math.min(32, options.syncPageSize) },
      concurrency: 1,
      timeout: { base: options.firstTimeout, perItem: 50, max: options.rpcResponseTimeout },
      retry: options.retry,
      ask: async (asked, { timeout, signal, since, urgent }) => {
        const began = mirror.stamp();
        const answer = await rpc.syncRouters(asked, { timeout, signal });
        const { keys, outdated } = mirror.ingestRouters(asked, answer, began, since);
        deps.changed(keys, asked.some(urgent) ? Priority.user : Priority.resync);
        this.#synchronised(asked);
        return outdated;
      },
      onError: (error, asked) =>
        logger.warn({ err: error, routers: asked.length, page: this.#refresher.pageSize }, 'routers not refreshed yet'),
    });
  }

  /** Whether Neutron sees the agent alive, as far as we can tell. */
  get alive(): boolean {
    return this.#heartbeat.alive;
  }

  /** Routers that the mirror is known to be behind for. */
  get stale(): number {
    return this.#refresher.size;
  }

  /** Some call got no answer: finds out whether Neutron is away, so that its return is noticed. */
  probe(): void {
    if (this.#heartbeat.alive) this.#heartbeat.beat();
  }

  async start(): Promise<void> {
    const { messaging, rpc, options } = this.#deps;
    let first = true;
    messaging.on('connected', () => {
      this.#heartbeat.beat();
      this.#refresher.kick();
      if (!first) this.resync('reconnected to the message bus');
      first = false;
    });
    this.#subscription = await messaging.serve({
      topic: 'l3_agent',
      host: rpc.host,
      version: '1.5',
      handlers: this.#handlers(),
    });
    first = false;
    this.#heartbeat.beat();
    this.#resyncTimer = setInterval(
      () => this.resync('periodic'),
      options.resyncInterval * (0.9 + Math.random() * 0.2),
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.#resyncTimer);
    await this.#subscription?.close();
    await Promise.all([this.#heartbeat.stop(), this.#lister.stop(), this.#refresher.stop(), this.floatingIps.stop()]);
  }

  /** Compares everything with Neutron. Before the first report has been answered Neutron does not know us: then that comes first. */
  resync(why: string): void {
    this.#deps.logger.info({ why }, 'listing the routers of this host');
    this.#lister.request();
  }

  /** Routers that must be asked for. */
  refresh(routerIds: Iterable<string>, since?: number, options: { urgent?: boolean; grace?: number } = {}): void {
    this.#refresher.mark(routerIds, { urgent: options.urgent ?? true, since, grace: options.grace ?? 0 });
  }

  /** It is not on this host any more. */
  remove(routerId: string, since?: number): void {
    this.#refresher.forget(routerId);
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

  async #list(attempt: number, signal: AbortSignal): Promise<void> {
    const { rpc, mirror, options, changed } = this.#deps;
    const timeout = Math.min(options.rpcResponseTimeout, options.firstTimeout * 2 ** attempt);
    const began = mirror.stamp();
    const listed = await rpc.getRouterIds({ timeout, signal });
    changed(mirror.ingestRouterIds(listed, began), Priority.resync);
    this.#outstanding = new Set(listed);
    this.#refresher.mark(listed, { urgent: false });
    this.#synchronised([]);
  }

  #synchronised(routerIds: readonly string[]): void {
    if (this.#outstanding === undefined) return;
    for (const id of routerIds) this.#outstanding.delete(id);
    if (this.#outstanding.size > 0) return;
    this.#outstanding = undefined;
    const { mirror, changed, logger } = this.#deps;
    if (!mirror.l3.filled) {
      mirror.l3.filled = true;
      logger.info({ routers: mirror.routers.ids().length }, 'routers of this host known');
      changed(mirror.keys(), Priority.resync);
    }
    this.floatingIps.check();
  }

  #handlers(): Record<string, Handler> {
    const { mirror, changed, logger } = this.#deps;
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
      agent_updated: ({ args }) => {
        const up = objectOf(args.payload)?.admin_state_up !== false;
        if (up !== mirror.l3.up) logger.info({ up }, 'the L3 agent was set up or down');
        mirror.l3.up = up;
        changed(mirror.keys(), Priority.user);
        if (up) this.resync('set up');
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
