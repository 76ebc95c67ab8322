import type { Operation } from '../api/operation.ts';
import { uuid } from '../api/parse.ts';
import type { Context } from '../api/resource.ts';
import { agentView, dhcpAgent } from '../network/agents.ts';
import { networkNotFound } from '../network/faults.ts';
import { networkView } from '../network/networks.ts';
import { changePort } from '../network/ports.ts';
import type { NetworkRow } from '../store/rows.ts';
import { dhcpDeviceId, reservedDhcpPort } from './dhcp-device.ts';
import { invalidDhcpAgent, networkHosted, networkNotHosted } from './faults.ts';

import { agentOf } from './router-operations.ts';
import { bindNetwork } from './scheduler.ts';

/** By hand: which networks are on which DHCP agent. */
export function networkOperations(): Operation[] {
  return [
    {
      method: 'GET',
      path: 'agents/:id/dhcp-networks',
      adminRule: 'rule:get_dhcp-networks',
      run(context, { id = '' }) {
        const { store } = context;
        const bindings = store.dhcpBindings.by('agent', agentOf(context, id).id);
        const networks = bindings.flatMap(({ network_id }) => store.networks.get(network_id) ?? []);
        return { status: 200, body: { networks: networks.map((network) => networkView(store, network)) } };
      },
    },
    {
      method: 'GET',
      path: 'networks/:id/dhcp-agents',
      adminRule: 'rule:get_dhcp-agents',
      run(context, { id = '' }) {
        const { store } = context;
        const bindings = store.dhcpBindings.by('network', networkOf(context, id).id);
        const agents = bindings.flatMap(({ agent_id }) => store.agents.get(agent_id) ?? []);
        return { status: 200, body: { agents: agents.map((agent) => agentView(agent)) } };
      },
    },
    {
      method: 'POST',
      path: 'agents/:id/dhcp-networks',
      adminRule: 'rule:create_dhcp-network',
      run(context, { id = '' }, body) {
        const network = networkOf(context, uuid(body.network_id, 'network_id'));
        const agent = agentOf(context, id);
        if (agent.agent_type !== dhcpAgent || !agent.admin_state_up) throw invalidDhcpAgent(id);
        const present = context.store.dhcpBindings.get(`${network.id}/${id}`);
        if (present !== undefined) throw networkHosted(network.id, id);
        bindNetwork(context.store, network.id, id);
        context.notify('dhcp_agent.network.add', { agent: { id, network_id: network.id } });
        return { status: 201, body: null };
      },
    },
    {
      method: 'DELETE',
      path: 'agents/:id/dhcp-networks/:network',
      adminRule: 'rule:delete_dhcp-network',
      run(context, { id = '', network: networkId = '' }) {
        const agent = agentOf(context, id);
        const binding = context.store.dhcpBindings.get(`${networkId}/${id}`);
        if (binding === undefined) throw networkNotHosted(networkId, id);
        context.store.dhcpBindings.delete(binding.id);
        keepPort(context, networkId, agent.host);
        context.notify('dhcp_agent.network.remove', { agent: { id, network_id: networkId } });
        return { status: 204 };
      },
    },
  ];
}

/** The agent's port is kept for the next one, so that the network's DHCP server has the same address again. */
function keepPort(context: Context, networkId: string, host: string): void {
  for (const port of context.store.ports.by('device', dhcpDeviceId(networkId, host)))
    changePort(context, port, { device_id: reservedDhcpPort });
}

function networkOf({ store }: Context, id: string): NetworkRow {
  const network = store.networks.get(id);
  if (network === undefined) throw networkNotFound(id);
  return network;
}
