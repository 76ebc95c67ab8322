import type { Handler, RequestContext } from '@astara/messaging/contract.ts';
import type { Context } from '../api/resource.ts';
import { l3Agent } from '../network/agents.ts';
import { revise } from '../network/touch.ts';
import type { AgentRow, FloatingIpRow } from '../store/rows.ts';
import { callerOf, record, text, texts } from './arguments.ts';
import { agentNotFoundByTypeHost } from './faults.ts';
import type { Parts } from './parts.ts';
import { bindRouter, syncedRouter } from './router-sync.ts';
import { askedNetworks, portView } from './views.ts';

/** `q-l3-plugin` 1.12: what L3 agents ask. */
export function l3Handlers({ requests, registry, scheduler, courier }: Parts): Record<string, Handler> {
  const { store } = requests;
  const run = <T>(context: RequestContext, work: (context: Context) => T) => requests.run(callerOf(context), work);

  return {
    get_router_ids({ args, context }) {
      const agent = registry.find(l3Agent, text(args.host));
      if (agent?.admin_state_up !== true) return [];
      courier.answering(agent, () => run(context, () => scheduler.claimRouters(agent)));
      return store.routers.by('agent', agent.id).map((router) => router.id);
    },

    sync_routers({ args, context }) {
      const agent = agentOn(text(args.host));
      if (!agent.admin_state_up) return [];
      const own =
        args.router_ids === undefined || args.router_ids === null || texts(args.router_ids).length === 0
          ? store.routers.by('agent', agent.id)
          : texts(args.router_ids).flatMap((id) => store.routers.get(id) ?? []);
      const routers = own.filter((router) => router.agent_id === agent.id && router.admin_state_up);
      run(context, (context) => {
        for (const router of routers) bindRouter(context, router, agent.host);
      });
      return routers.map((router) => syncedRouter(store, router));
    },

    update_floatingip_statuses({ args, context }) {
      const routerId = text(args.router_id);
      const reported = record(args.fip_statuses);
      run(context, (context) => {
        for (const [id, status] of Object.entries(reported)) setStatus(context, store.floatingIps.get(id), status);
        // Nobody reports what has left the router.
        for (const row of store.floatingIps.by('lastRouter', routerId))
          if (row.router_id === null) setStatus(context, row, 'DOWN');
      });
      return null;
    },

    get_host_ha_router_count: () => 0,
    update_all_ha_network_port_statuses: () => null,
    get_service_plugin_list: () => ['CORE', 'L3_ROUTER_NAT', 'PORTFORWARDING', 'tag', 'timestamp', 'revisions'],
    get_ports_by_subnet: ({ args }) => store.ports.by('subnet', text(args.subnet_id)).map((port) => portView(port)),
    get_networks: ({ args }) => askedNetworks(store, args),
  };

  function agentOn(host: string): AgentRow {
    const agent = registry.find(l3Agent, host);
    if (agent !== undefined) return agent;
    throw agentNotFoundByTypeHost(l3Agent, host);
  }
}

const statuses = ['ACTIVE', 'DOWN', 'ERROR'] as const;

/** A floating IP that is gone meanwhile is no trouble. */
function setStatus({ store }: Context, row: FloatingIpRow | undefined, value: unknown): void {
  const status = statuses.find((known) => known === value);
  if (row === undefined || status === undefined || row.status === status) return;
  revise(store.floatingIps, row, { status });
}
