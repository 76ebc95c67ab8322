import type { Handler, Incoming, Messaging, Subscription } from '@astara/messaging/contract.ts';
import { demand, type Target } from './target.ts';

export const agentHost = 'contract1';

interface AgentKind {
  readonly agent_type: string;
  readonly binary: string;
  readonly topic: string;
  readonly availability_zone: string | null;
  readonly configurations: Readonly<Record<string, unknown>>;
}

const kinds: Readonly<Record<string, AgentKind>> = {
  l3: {
    agent_type: 'L3 agent',
    binary: 'neutron-l3-agent',
    topic: 'l3_agent',
    availability_zone: 'nova',
    configurations: { agent_mode: 'legacy', handle_internal_only_routers: true, routers: 0, ex_gw_ports: 0 },
  },
  dhcp: {
    agent_type: 'DHCP agent',
    binary: 'neutron-dhcp-agent',
    topic: 'dhcp_agent',
    availability_zone: 'nova',
    configurations: { dhcp_driver: 'neutron.agent.linux.dhcp.Dnsmasq', networks: 0 },
  },
  // Without one, Neutron gives its host no networks.
  l2: {
    agent_type: 'Linux bridge agent',
    binary: 'neutron-linuxbridge-agent',
    topic: 'N/A',
    availability_zone: null,
    configurations: { bridge_mappings: {}, interface_mappings: {}, tunneling_ip: '192.0.2.1', tunnel_types: ['vxlan'] },
  },
};

const told = {
  l3_agent: [
    'routers_updated',
    'router_deleted',
    'router_added_to_agent',
    'router_removed_from_agent',
    'agent_updated',
  ],
  dhcp_agent: [
    ...['network', 'subnet', 'port'].flatMap((what) =>
      ['create', 'update', 'delete'].map((how) => `${what}_${how}_end`),
    ),
    'agent_updated',
  ],
} as const;

export interface Heard {
  readonly requestId: string | undefined;
  readonly topic: string;
  readonly message: Incoming;
}

interface Listed {
  readonly id: string;
  readonly agent_type: string;
  readonly host: string;
  readonly admin_state_up: boolean;
  readonly description: string | null;
}

/** On an agent that we set down: whoever comes after a run that was killed sets it up again. */
const silenced = 'set down by the contract suite';

/**
 * An L3, a DHCP and a Linux bridge agent that report, listen and do nothing. All others are set down meanwhile, so that it is
 * known who gets what, and nobody makes ports.
 */
export class Agents {
  readonly heard: Heard[] = [];
  readonly #target: Target;
  readonly #token: string;
  #subscriptions: Subscription[] = [];
  #ids: Readonly<Record<string, string>> = {};
  #silenced: readonly string[] = [];

  constructor(target: Target, adminToken: string) {
    this.#target = target;
    this.#token = adminToken;
  }

  /** `l3.agent` and the like → id. */
  get names(): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(this.#ids).map(([kind, id]) => [`${kind}.agent`, id]));
  }

  async start(): Promise<void> {
    const { messaging } = this.#target;
    for (const topic of ['l3_agent', 'dhcp_agent'] as const) {
      this.#subscriptions.push(await this.#listen(messaging, topic));
    }
    await this.report();
    const listed = await this.#list();
    const mine = listed.filter(({ host }) => host === agentHost);
    this.#ids = Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [
        name,
        mine.find(({ agent_type }) => agent_type === kind.agent_type)?.id ?? '',
      ]),
    );
    const others = listed.filter(
      ({ host, agent_type, admin_state_up, description }) =>
        host !== agentHost &&
        (agent_type === 'L3 agent' || agent_type === 'DHCP agent') &&
        (admin_state_up || description === silenced),
    );
    this.#silenced = others.map(({ id }) => id);
    for (const id of this.#silenced) await this.#set(id, { admin_state_up: false, description: silenced });
  }

  /** They live for 75 s after it. */
  async report(): Promise<void> {
    for (const kind of Object.values(kinds)) {
      const state = { ...kind, host: agentHost };
      const args = { agent_state: { agent_state: state }, time: new Date().toISOString().replace('Z', '') };
      const target = { topic: 'q-reports-plugin', version: '1.2' };
      await this.#target.messaging.call(target, 'report_state', args, { timeout: 30_000 });
    }
  }

  async stop(): Promise<void> {
    for (const id of this.#silenced) await this.#set(id, { admin_state_up: true, description: null });
    const url = `${this.#target.networkUrl}/v2.0/agents`;
    for (const id of Object.values(this.#ids)) await demand(`${url}/${id}`, 'DELETE', this.#token);
    for (const subscription of this.#subscriptions) await subscription.close();
  }

  #listen(messaging: Messaging, topic: keyof typeof told): Promise<Subscription> {
    const note: Handler = (message) => {
      this.heard.push({ requestId: message.context.requestId, topic, message });
      return null;
    };
    const handlers = Object.fromEntries(told[topic].map((method) => [method, note]));
    return messaging.serve({ topic, host: agentHost, version: '1.9', handlers: { ...handlers, mark: () => null } });
  }

  async #list(): Promise<readonly Listed[]> {
    const { agents } = await demand(`${this.#target.networkUrl}/v2.0/agents`, 'GET', this.#token);
    return agents as Listed[];
  }

  async #set(id: string, agent: Readonly<Record<string, unknown>>): Promise<void> {
    await demand(`${this.#target.networkUrl}/v2.0/agents/${id}`, 'PUT', this.#token, { agent });
  }
}
