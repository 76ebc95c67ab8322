import type { Change } from '../store/journal.ts';
import type { RouterRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { type Cast, told } from './cast.ts';
import type { AgentRegistry } from './registry.ts';
import { touchedRouters } from './touched-routers.ts';

/** What L3 agents are told of committed changes. */
export function l3Casts(store: Store, registry: AgentRegistry, changes: readonly Change[]): Cast[] {
  const touched = touchedRouters(store, changes);
  const casts = changes.filter(isRouter).flatMap((change) => ofRouter(store, change, touched));
  for (const id of touched) {
    const agent = store.agents.get(store.routers.get(id)?.agent_id ?? '');
    if (agent === undefined || !agent.admin_state_up || !registry.isAlive(agent)) continue;
    casts.push({ topic, host: agent.host, version: '1.1', method: 'routers_updated', args: { routers: [id] } });
  }
  return casts;
}

const topic = 'l3_agent';

const isRouter = (change: Change): change is Change<RouterRow> => change.table === 'routers';

/** It came to an agent, left one, or is gone. An agent that got it because of a change to it is told of the change only. */
function ofRouter(store: Store, { before, after }: Change<RouterRow>, touched: ReadonlySet<string>): Cast[] {
  if (after === undefined) {
    return [{ topic, version: '1.0', method: 'router_deleted', args: { router_id: before?.id } }];
  }
  if ((before?.agent_id ?? null) === after.agent_id) return [];
  const left = store.agents.get(before?.agent_id ?? '');
  const came = store.agents.get(after.agent_id ?? '');
  return [
    ...(left === undefined ? [] : [told(topic, left.host, 'router_removed_from_agent', { router_id: after.id })]),
    ...(came === undefined || touched.has(after.id)
      ? []
      : [{ ...told(topic, came.host, 'router_added_to_agent', [after.id]), call: true }]),
  ];
}
