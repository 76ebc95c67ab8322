import { isDeepStrictEqual } from 'node:util';
import type { Change } from '../store/journal.ts';
import type { DhcpBindingRow, NetworkRow, PortRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { type Cast, told } from './cast.ts';
import { networkView, portView, subnetView } from './views.ts';

const topic = 'dhcp_agent';

/** The smaller comes first at the agent. */
const priorities = {
  network_create_end: 0,
  network_update_end: 1,
  network_delete_end: 2,
  subnet_create_end: 3,
  subnet_update_end: 3,
  subnet_delete_end: 4,
  port_create_end: 5,
  port_update_end: 6,
  port_delete_end: 6,
} as const;

type Method = keyof typeof priorities;

/** What DHCP agents are told of committed changes: each those of the networks it serves. */
export function dhcpCasts(store: Store, changes: readonly Change[]): Cast[] {
  const casts = { bindings: [] as Cast[], others: [] as Cast[] };
  for (const change of changes as readonly Told[]) {
    if (change.table === 'dhcp_bindings') casts.bindings.push(...ofBinding(store, change));
    else if (change.table === 'networks') casts.others.push(...ofNetwork(store, change));
    else if (change.table === 'subnets') casts.others.push(...ofSubnet(store, change));
    else if (change.table === 'ports') casts.others.push(...ofPort(store, change));
  }
  return [...casts.bindings, ...casts.others];
}

/** One change, told by its table. */
type Told =
  | (Change<DhcpBindingRow> & { readonly table: 'dhcp_bindings' })
  | (Change<NetworkRow> & { readonly table: 'networks' })
  | (Change<SubnetRow> & { readonly table: 'subnets' })
  | (Change<PortRow> & { readonly table: 'ports' })
  | (Change & { readonly table: 'others' });

function cast(host: string | undefined, method: Method, payload: Readonly<Record<string, unknown>>): Cast {
  return told(topic, host, method, { ...payload, priority: priorities[method] });
}

/** To the agents that serve the network and may work. */
function toServing(store: Store, networkId: string, method: Method, payload: () => Readonly<Record<string, unknown>>) {
  const hosts = store.dhcpBindings.by('network', networkId).flatMap((binding) => {
    const agent = store.agents.get(binding.agent_id);
    return agent?.admin_state_up === true ? [agent.host] : [];
  });
  if (hosts.length === 0) return [];
  const body = payload();
  return hosts.map((host) => cast(host, method, body));
}

/** An agent got the network, or is to leave it; a network that is gone is told to all. */
function ofBinding(store: Store, { before, after }: Change<DhcpBindingRow>): Cast[] {
  const binding = after ?? before;
  const agent = store.agents.get(binding?.agent_id ?? '');
  const network_id = binding?.network_id ?? '';
  if (agent === undefined || store.networks.get(network_id) === undefined) return [];
  return [
    after === undefined
      ? cast(agent.host, 'network_delete_end', { network_id })
      : cast(agent.host, 'network_create_end', { network: { id: network_id } }),
  ];
}

function ofNetwork(store: Store, { before, after }: Change<NetworkRow>): Cast[] {
  if (before === undefined) return [];
  if (after === undefined) return [cast(undefined, 'network_delete_end', { network_id: before.id })];
  // Its revision also changes with its subnets, which are told by themselves.
  if (sameBut(before, after, ['tags'])) return [];
  return toServing(store, after.id, 'network_update_end', () => ({ network: networkView(store, after) }));
}

function ofSubnet(store: Store, { before, after }: Change<SubnetRow>): Cast[] {
  if (after === undefined) {
    const { id: subnet_id = '', network_id = '' } = before ?? {};
    return toServing(store, network_id, 'subnet_delete_end', () => ({ subnet_id, network_id }));
  }
  if (before !== undefined && sameBut(before, after, ['tags'])) return [];
  if (before !== undefined)
    return toServing(store, after.network_id, 'subnet_update_end', () => ({ subnet: subnetBody(store, after) }));
  return toServing(store, after.network_id, 'subnet_create_end', () => ({
    subnet: { ...subnetBody(store, after), ...withNetwork(store, after.network_id) },
  }));
}

const subnetBody = (store: Store, subnet: SubnetRow) => ({ ...subnetView(store, subnet), segment_id: null });

const served = ['fixed_ips', 'mac_address', 'extra_dhcp_opts'] as const;

function ofPort(store: Store, { before, after }: Change<PortRow>): Cast[] {
  if (after === undefined) {
    const { id: port_id = '', network_id = '', fixed_ips = [] } = before ?? {};
    return toServing(store, network_id, 'port_delete_end', () => ({ port_id, network_id, fixed_ips }));
  }
  if (before === undefined) {
    return toServing(store, after.network_id, 'port_create_end', () => ({
      port: { ...portView(after), ...withNetwork(store, after.network_id) },
    }));
  }
  if (served.every((key) => isDeepStrictEqual(before[key], after[key]))) return [];
  return toServing(store, after.network_id, 'port_update_end', () => ({ port: portView(after) }));
}

function withNetwork(store: Store, id: string): Readonly<Record<string, unknown>> {
  const network = store.networks.get(id);
  return network === undefined ? {} : { network: networkView(store, network) };
}

function sameBut<R extends object>(before: R, after: R, ignored: readonly (keyof R)[]): boolean {
  const skipped: readonly PropertyKey[] = [...ignored, 'revision_number', 'updated_at'];
  const keys = (Object.keys(after) as (keyof R)[]).filter((key) => !skipped.includes(key));
  return keys.every((key) => isDeepStrictEqual(before[key], after[key]));
}
