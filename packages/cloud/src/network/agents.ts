import { boolean, orNull, text } from '../api/parse.ts';
import type { Resource } from '../api/resource.ts';
import type { AgentRow } from '../store/rows.ts';

/** `agent_type` of those that routers and networks are given to. */
export const l3Agent = 'L3 agent';
export const dhcpAgent = 'DHCP agent';

/** Neutron's option agent_down_time, in milliseconds. */
const agentDownTime = 75_000;

export function isAlive(agent: AgentRow, now: number = Date.now()): boolean {
  return now - agent.heartbeat < agentDownTime;
}

/** What administrators see of agents, and do to them. They register by report_state. */
export function agentResource(): Resource<AgentRow> {
  return {
    singular: 'agent',
    plural: 'agents',
    attributes: {
      id: {},
      agent_type: {},
      binary: {},
      topic: {},
      host: {},
      availability_zone: {},
      admin_state_up: { put: true, parse: boolean, default: true },
      description: { put: true, parse: orNull(text()) },
      alive: { default: true },
      created_at: {},
      started_at: {},
      heartbeat_timestamp: {},
      configurations: { filter: false, sort: false },
      resources_synced: { filter: false, sort: false },
    },
    notFound: { type: 'AgentNotFound', message: (id) => `Agent ${id} could not be found.` },
    list: ({ store }) => store.agents.all(),
    get: ({ store }, id) => store.agents.get(id),
    lookup: { host: ({ store }, host) => store.agents.by('host', host) },
    visible: () => false,
    view: (_context, row) => agentView(row),
    update: ({ store }, row, body) => store.agents.put({ ...row, ...body }),
    remove: ({ store }, row) => store.agents.delete(row.id),
  };
}

export function agentView(row: AgentRow): Record<string, unknown> {
  return {
    id: row.id,
    agent_type: row.agent_type,
    binary: row.binary,
    topic: row.topic,
    host: row.host,
    admin_state_up: row.admin_state_up,
    created_at: moment(row.created),
    started_at: moment(row.started),
    heartbeat_timestamp: moment(row.heartbeat),
    description: row.description,
    resources_synced: null,
    availability_zone: row.availability_zone,
    alive: isAlive(row),
    configurations: row.configurations,
  };
}

/** Agents' times are written otherwise than all others. */
const moment = (at: number) => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
