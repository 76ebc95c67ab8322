import type { Messaging, RequestContext } from '@astara/messaging/contract.ts';
import type { Logger } from 'pino';
import { dhcpAgent, l3Agent } from '../network/agents.ts';
import type { Change, Origin } from '../store/journal.ts';
import type { AgentRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { type Cast, told } from './cast.ts';
import { dhcpCasts } from './dhcp-casts.ts';
import { l3Casts } from './l3-casts.ts';
import type { AgentRegistry } from './registry.ts';

/** How long an agent has to answer: rpc_response_timeout, milliseconds. */
const answerTimeout = 60_000;

/** Tells agents what was committed, on behalf of whose request it was. */
export class Courier {
  readonly #store: Store;
  readonly #registry: AgentRegistry;
  readonly #messaging: Messaging;
  readonly #log: Logger;
  #asking: AgentRow | undefined;

  constructor(store: Store, registry: AgentRegistry, messaging: Messaging, log: Logger) {
    this.#store = store;
    this.#registry = registry;
    this.#messaging = messaging;
    this.#log = log;
    store.onCommit((changes, origin) => {
      for (const cast of this.#casts(changes)) this.#send(cast, origin);
    });
  }

  /** What `work` gives to the agent it learns from the answer to its question, not by a message. `work` is synchronous. */
  answering<T>(agent: AgentRow, work: () => T): T {
    this.#asking = agent;
    try {
      return work();
    } finally {
      this.#asking = undefined;
    }
  }

  #casts(changes: readonly Change[]): Cast[] {
    const casts = [
      ...agentCasts(changes),
      ...l3Casts(this.#store, this.#registry, changes),
      ...dhcpCasts(this.#store, changes),
    ];
    const asking = this.#asking;
    if (asking === undefined) return casts;
    return casts.filter(({ topic, host }) => topic !== asking.topic || host !== asking.host);
  }

  #send(cast: Cast, origin: Origin | undefined): void {
    const { topic, host, version, method, args } = cast;
    const target = host === undefined ? { topic, version, fanout: true } : { topic, version, server: host };
    const context = contextOf(origin);
    const sent: Promise<unknown> =
      cast.call === true
        ? this.#messaging.call({ topic, version, server: host ?? '' }, method, args, {
            context,
            timeout: answerTimeout,
          })
        : this.#messaging.cast(target, method, args, { context });
    sent.catch((error: unknown) => this.#log.warn({ err: error, topic, host, method }, 'the agent was not told'));
  }
}

/** An administrator set an agent up or down. */
function agentCasts(changes: readonly Change[]): Cast[] {
  return changes.flatMap(({ table, ...change }) => {
    if (table !== 'agents') return [];
    const { before, after } = change as Change<AgentRow>;
    if (before === undefined || after === undefined || before.admin_state_up === after.admin_state_up) return [];
    if (after.agent_type !== l3Agent && after.agent_type !== dhcpAgent) return [];
    const topic = after.agent_type === l3Agent ? 'l3_agent' : 'dhcp_agent';
    return [told(topic, after.host, 'agent_updated', { admin_state_up: after.admin_state_up })];
  });
}

function contextOf(origin: Origin | undefined): RequestContext {
  if (origin === undefined) return { isAdmin: true };
  const { requestId, timestamp, userId, projectId, isAdmin } = origin;
  return { requestId, timestamp, userId, projectId, isAdmin };
}
