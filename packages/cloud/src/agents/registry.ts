import { randomUUID } from 'node:crypto';
import { isAlive } from '../network/agents.ts';
import type { AgentRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** `agent_state` of report_state, as far as anybody looks at it. */
export interface AgentReport {
  readonly agent_type: string;
  readonly binary: string;
  readonly topic: string;
  readonly host: string;
  readonly availability_zone?: string | null;
  readonly configurations?: Readonly<Record<string, unknown>>;
  readonly start_flag?: boolean;
}

export class AgentRegistry {
  readonly #store: Store;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch. */
  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  isAlive(agent: AgentRow): boolean {
    return isAlive(agent, this.#now());
  }

  /** An agent is what it is by its type and host. */
  find(type: string, host: string): AgentRow | undefined {
    return this.#store.agents.by('host', host).find((agent) => agent.agent_type === type);
  }

  /** Those that may be given work. */
  ready(type: string): AgentRow[] {
    return this.#store.agents.by('type', type).filter((agent) => agent.admin_state_up && this.isAlive(agent));
  }

  report(state: AgentReport): 'new' | 'alive' | 'revived' {
    const known = this.find(state.agent_type, state.host);
    const now = this.#now();
    const answer = known === undefined ? 'new' : this.isAlive(known) ? 'alive' : 'revived';
    const started = known === undefined || state.start_flag === true ? now : known.started;
    this.#store.agents.put({
      id: known?.id ?? randomUUID(),
      admin_state_up: known?.admin_state_up ?? true,
      description: known?.description ?? null,
      created: known?.created ?? now,
      agent_type: state.agent_type,
      binary: state.binary,
      topic: state.topic,
      host: state.host,
      availability_zone: state.availability_zone ?? known?.availability_zone ?? null,
      configurations: state.configurations ?? {},
      started,
      heartbeat: now,
    });
    return answer;
  }
}
