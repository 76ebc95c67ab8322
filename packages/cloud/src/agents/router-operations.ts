import type { Operation } from '../api/operation.ts';
import { uuid } from '../api/parse.ts';
import type { Context } from '../api/resource.ts';
import { routerNotFound } from '../l3/faults.ts';
import { routerView } from '../l3/router-view.ts';
import { agentView, l3Agent } from '../network/agents.ts';
import type { AgentRow, RouterRow } from '../store/rows.ts';
import { agentNotFound, invalidL3Agent, notToDvrAgent, routerHosted } from './faults.ts';

import { mayHost } from './scheduler.ts';

/** By hand: which router is on which L3 agent. */
export function routerOperations(): Operation[] {
  return [
    {
      method: 'GET',
      path: 'agents/:id/l3-routers',
      adminRule: 'rule:get_l3-routers',
      run(context, { id = '' }) {
        const routers = context.store.routers.by('agent', agentOf(context, id).id);
        return { status: 200, body: { routers: routers.map((router) => routerView(context.store, router)) } };
      },
    },
    {
      method: 'GET',
      path: 'routers/:id/l3-agents',
      adminRule: 'rule:get_l3-agents',
      run(context, { id = '' }) {
        const agent = context.store.agents.get(routerOf(context, id).agent_id ?? '');
        return { status: 200, body: { agents: agent === undefined ? [] : [agentView(agent)] } };
      },
    },
    {
      method: 'POST',
      path: 'agents/:id/l3-routers',
      adminRule: 'rule:create_l3-router',
      run(context, { id = '' }, body) {
        const router = routerOf(context, uuid(body.router_id, 'router_id'));
        host(context, agentOf(context, id), router);
        context.notify('l3_agent.router.add', { agent: { id, router_id: router.id } });
        return { status: 201, body: null };
      },
    },
    {
      method: 'DELETE',
      path: 'agents/:id/l3-routers/:router',
      adminRule: 'rule:delete_l3-router',
      run(context, { id = '', router: routerId = '' }) {
        const agent = agentOf(context, id);
        const router = routerOf(context, routerId);
        if (router.agent_id === agent.id) context.store.routers.put({ ...router, agent_id: null });
        context.notify('l3_agent.router.remove', { agent: { id, router_id: routerId } });
        return { status: 204 };
      },
    },
  ];
}

function host({ store }: Context, agent: AgentRow, router: RouterRow): void {
  if (agent.agent_type !== l3Agent) throw invalidL3Agent(agent.id);
  if (String(agent.configurations.agent_mode).startsWith('dvr') && agent.configurations.agent_mode !== 'dvr_snat')
    throw notToDvrAgent();
  if (!agent.admin_state_up || !mayHost(agent, router)) throw invalidL3Agent(agent.id);
  if (router.agent_id === agent.id) return;
  if (router.agent_id !== null) throw routerHosted(router.id, router.agent_id);
  store.routers.put({ ...router, agent_id: agent.id });
}

export function agentOf({ store }: Context, id: string): AgentRow {
  const agent = store.agents.get(id);
  if (agent === undefined) throw agentNotFound(id);
  return agent;
}

function routerOf({ store }: Context, id: string): RouterRow {
  const router = store.routers.get(id);
  if (router === undefined) throw routerNotFound(id);
  return router;
}
