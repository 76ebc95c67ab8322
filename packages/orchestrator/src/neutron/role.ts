import type { CallOptions, Handler, Messaging, Subscription } from '@astara/messaging/contract.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import { Priority } from '../queue/priority.ts';
import type { Gate } from './gate.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Mirror, RoleState } from './mirror/mirror.ts';
import type { RoleIntervals, RoleOptions } from './options.ts';
import { objectOf } from './payload.ts';
import { Refresher, type RefresherOptions } from './refresher.ts';
import { Repeater } from './repeater.ts';
import type { AgentState, NeutronRpc } from './rpc.ts';

/** What the agents of this host have in common. */
export interface RoleDeps {
  readonly messaging: Messaging;
  readonly rpc: NeutronRpc;
  readonly mirror: Mirror;
  readonly options: RoleOptions;
  /** Of all roles: closed while one of them lists. */
  readonly gate: Gate;
  /** Resources may look different now. */
  readonly changed: (keys: readonly ResourceKey[], priority: Priority) => void;
  readonly logger: Logger;
}

/** What makes the agent the one it is. */
export interface RolePlan {
  readonly topic: 'l3_agent' | 'dhcp_agent';
  /** Highest minor version of the casts it understands. */
  readonly version: string;
  /** What it serves, as the log calls it. */
  readonly serves: 'routers' | 'networks';
  /** Its part of the mirror. */
  readonly part: RoleState;
  /** What `report_state` says. */
  readonly state: () => AgentState;
  /** The casts, but for `agent_updated`. */
  readonly handlers: Readonly<Record<string, Handler>>;
  /** Asks for all that it serves, and calls {@link Role.inSync} once the mirror has it. */
  readonly list: (call: CallOptions) => Promise<void>;
  /** Milliseconds that the first listing may take. It doubles from there. */
  readonly listTimeout: number;
  readonly refresher: Omit<RefresherOptions, 'retry'>;
  readonly onReconnected?: () => void;
}

/**
 * One agent of stock Neutron as this host plays it: alive in Neutron's eyes, reachable by casts, listing everything when something
 * may have been missed, and asking for single objects that have become stale.
 */
export class Role {
  readonly #deps: RoleDeps;
  readonly #plan: RolePlan;
  readonly #heartbeat: Heartbeat;
  readonly #lister: Repeater;
  readonly #refresher: Refresher;
  #resyncInterval: number;
  #resyncTimer: NodeJS.Timeout | undefined;
  #subscription: Subscription | undefined;

  constructor(deps: RoleDeps, plan: RolePlan) {
    this.#deps = deps;
    this.#plan = plan;
    const { rpc, options, logger } = deps;
    this.#resyncInterval = options.resyncInterval;
    this.#heartbeat = new Heartbeat({
      rpc,
      state: plan.state,
      interval: options.reportInterval,
      downTime: options.agentDownTime,
      onLapse: (why) => this.resync(why),
      logger,
    });
    this.#lister = new Repeater(
      (attempt, signal) =>
        plan.list({ timeout: Math.min(options.rpcResponseTimeout, plan.listTimeout * 2 ** attempt), signal }),
      {
        ...options.retry,
        onError: (error, attempt) => logger.warn({ err: error, attempt }, `${plan.serves} of this host not listed yet`),
      },
    );
    this.#refresher = new Refresher({ ...plan.refresher, retry: options.retry });
  }

  /** Whether Neutron sees the agent alive, as far as we can tell. */
  get alive(): boolean {
    return this.#heartbeat.alive;
  }

  /** Objects that the mirror is known to be behind for. */
  get stale(): number {
    return this.#refresher.size;
  }

  /** Some call got no answer: finds out whether Neutron is away, so that its return is noticed. */
  probe(): void {
    if (this.#heartbeat.alive) this.#heartbeat.beat();
  }

  async start(): Promise<void> {
    const { messaging, rpc } = this.#deps;
    const { topic, version, handlers, onReconnected } = this.#plan;
    this.#deps.gate.hold(topic);
    let first = true;
    messaging.on('connected', () => {
      this.#heartbeat.beat();
      this.#refresher.kick();
      onReconnected?.();
      if (!first) this.resync('reconnected to the message bus');
      first = false;
    });
    const agent_updated: Handler = ({ args }) => this.#setUp(objectOf(args.payload)?.admin_state_up !== false);
    this.#subscription = await messaging.serve({
      topic,
      host: rpc.host,
      version,
      handlers: { ...handlers, agent_updated },
    });
    first = false;
    this.#heartbeat.beat();
    this.#resyncNowAndThen();
  }

  /** From now on: the next resync is an interval from now. */
  configure({ reportInterval, resyncInterval }: RoleIntervals): void {
    this.#heartbeat.every(reportInterval);
    if (resyncInterval === this.#resyncInterval) return;
    this.#resyncInterval = resyncInterval;
    if (this.#resyncTimer !== undefined) this.#resyncNowAndThen();
  }

  async stop(): Promise<void> {
    clearInterval(this.#resyncTimer);
    this.#resyncTimer = undefined;
    await this.#subscription?.close();
    await Promise.all([this.#heartbeat.stop(), this.#lister.stop(), this.#refresher.stop()]);
  }

  /** Compares everything with Neutron. Before the first report has been answered Neutron does not know us: then that comes first. */
  resync(why: string): void {
    const { topic, serves } = this.#plan;
    this.#deps.logger.info({ why }, `listing the ${serves} of this host`);
    this.#deps.gate.hold(topic);
    this.#lister.request();
  }

  /** All that the last list named is in the mirror: `count` objects. */
  inSync(count: number): void {
    const { mirror, changed, gate, logger } = this.#deps;
    const { topic, part, serves } = this.#plan;
    if (!part.filled) {
      part.filled = true;
      logger.info({ [serves]: count }, `${serves} of this host known`);
      changed(mirror.keys(), Priority.resync);
    }
    gate.release(topic);
  }

  /** These must be asked for. `since`: when the change was committed that says so. */
  refresh(ids: Iterable<string>, since?: number, options: { urgent?: boolean; grace?: number } = {}): void {
    this.#refresher.mark(ids, { urgent: options.urgent ?? true, since, grace: options.grace ?? 0 });
  }

  /** It is not on this host any more. */
  forget(id: string): void {
    this.#refresher.forget(id);
  }

  #resyncNowAndThen(): void {
    clearInterval(this.#resyncTimer);
    const interval = this.#resyncInterval * (0.9 + Math.random() * 0.2);
    this.#resyncTimer = setInterval(() => this.resync('periodic'), interval);
  }

  #setUp(up: boolean): null {
    const { mirror, changed, logger } = this.#deps;
    const { part } = this.#plan;
    if (up !== part.up) logger.info({ up }, 'the agent was set up or down');
    part.up = up;
    changed(mirror.keys(), Priority.user);
    if (up) this.resync('set up');
    return null;
  }
}
