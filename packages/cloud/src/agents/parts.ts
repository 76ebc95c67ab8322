import type { Requests } from '../api/requests.ts';
import type { Courier } from './courier.ts';
import type { AgentRegistry } from './registry.ts';
import type { Scheduler } from './scheduler.ts';

/** What answers to agents are made with. */
export interface Parts {
  readonly requests: Requests;
  readonly registry: AgentRegistry;
  readonly scheduler: Scheduler;
  readonly courier: Courier;
}
