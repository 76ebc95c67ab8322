import type { Requests } from '../api/requests.ts';
import { dhcpAgent, l3Agent } from '../network/agents.ts';
import type { Change } from '../store/journal.ts';
import type { AgentRow, DhcpBindingRow, NetworkRow, PortRow, RouterRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { reservedDhcpPort } from './dhcp-device.ts';
import type { AgentRegistry } from './registry.ts';
import { touchedRouters } from './touched-routers.ts';

/**
 * Gives routers and networks to agents: when there is first something to do for them, as part of the same transaction, and to an agent
 * that asks for its work. Each goes to the agent with the least of its kind, and stays there.
 */
export class Scheduler {
  readonly #store: Store;
  readonly #registry: AgentRegistry;

  constructor(requests: Requests, registry: AgentRegistry) {
    this.#store = requests.store;
    this.#registry = registry;
    this.#store.beforeCommit((changes) => {
      for (const { table, before, after } of changes) if (after === undefined) this.#unbind(table, before?.id ?? '');
      for (const id of touchedRouters(this.#store, changes)) this.#placeRouter(id);
      for (const id of awakenedNetworks(changes)) this.#placeNetwork(id);
    });
  }

  /** Routers that nobody has go to the agent that asks. */
  claimRouters(agent: AgentRow): void {
    for (const router of this.#store.routers.by('hosted', 'none')) {
      if (mayHost(agent, router)) this.#store.routers.put({ ...router, agent_id: agent.id });
    }
  }

  /** Networks with a DHCP subnet that nobody has go to the agent that asks. */
  claimNetworks(agent: AgentRow): void {
    const served = this.#store.subnets.all().filter((subnet) => subnet.enable_dhcp);
    for (const id of new Set(served.map((subnet) => subnet.network_id))) {
      const network = this.#store.networks.get(id);
      if (network !== undefined && this.#store.dhcpBindings.count('network', id) === 0 && fitsZone(agent, network))
        bindNetwork(this.#store, network.id, agent.id);
    }
  }

  /** With an agent or a network go its bindings. */
  #unbind(table: string, id: string): void {
    const { routers, dhcpBindings } = this.#store;
    if (table === 'agents') for (const router of routers.by('agent', id)) routers.put({ ...router, agent_id: null });
    const bindings =
      table === 'agents' ? dhcpBindings.by('agent', id) : table === 'networks' ? dhcpBindings.by('network', id) : [];
    for (const binding of bindings) dhcpBindings.delete(binding.id);
  }

  #placeRouter(id: string): void {
    const router = this.#store.routers.get(id);
    if (router === undefined || router.agent_id !== null) return;
    const candidates = this.#registry.ready(l3Agent).filter((agent) => mayHost(agent, router));
    const chosen = least(candidates, (agent) => this.#store.routers.count('agent', agent.id));
    if (chosen !== undefined) this.#store.routers.put({ ...router, agent_id: chosen.id });
  }

  #placeNetwork(id: string): void {
    const network = this.#store.networks.get(id);
    if (network === undefined || this.#store.dhcpBindings.count('network', id) > 0) return;
    const candidates = this.#registry.ready(dhcpAgent).filter((agent) => fitsZone(agent, network));
    const chosen = least(candidates, (agent) => this.#store.dhcpBindings.count('agent', agent.id));
    if (chosen !== undefined) bindNetwork(this.#store, id, chosen.id);
  }
}

export function bindNetwork(store: Store, network_id: string, agent_id: string): DhcpBindingRow {
  return store.dhcpBindings.put({ id: `${network_id}/${agent_id}`, network_id, agent_id });
}

/** Whether an agent of type L3 takes such a router. */
export function mayHost(agent: AgentRow, router: RouterRow): boolean {
  const { agent_mode = 'legacy', handle_internal_only_routers = true } = agent.configurations;
  const distributed = agent_mode === 'dvr' || agent_mode === 'dvr_no_external';
  return !distributed && (router.gw_port_id !== null || handle_internal_only_routers !== false);
}

const fitsZone = (agent: AgentRow, network: NetworkRow) =>
  network.availability_zone_hints.length === 0 ||
  network.availability_zone_hints.includes(agent.availability_zone ?? '');

/** Networks with a new subnet or a new port, but for ports that were kept for a DHCP agent to come. */
function awakenedNetworks(changes: readonly Change[]): Set<string> {
  const found = new Set<string>();
  for (const { table, before, after } of changes) {
    if (before !== undefined || after === undefined || (table !== 'subnets' && table !== 'ports')) continue;
    const row = after as Pick<PortRow, 'id' | 'network_id'> & Partial<PortRow>;
    if (row.device_id !== reservedDhcpPort) found.add(row.network_id);
  }
  return found;
}

function least(agents: readonly AgentRow[], load: (agent: AgentRow) => number): AgentRow | undefined {
  let best: { agent: AgentRow; load: number } | undefined;
  for (const agent of agents) {
    const now = load(agent);
    if (best === undefined || now < best.load) best = { agent, load: now };
  }
  return best?.agent;
}
