import { expect, test } from 'vitest';
import { AgentsRig } from '../testing/agents-rig.ts';
import { fault, first } from '../testing/rig.ts';

const gateway = (rig: AgentsRig, network_id: string) => rig.make('routers', { external_gateway_info: { network_id } });

test('routers go to the agent with the fewest, networks too', async () => {
  const rig = await AgentsRig.start();
  const agents = [await rig.agent('l3', 'h1'), await rig.agent('l3', 'h2'), await rig.agent('dhcp', 'h1')];
  const external = rig.external();
  for (let each = 0; each < 10; each += 1) gateway(rig, external.id);
  const counts = agents.map((agent) => rig.store.routers.count('agent', rig.agentId(agent)));
  expect(counts).toEqual([5, 5, 0]);
  expect(rig.store.dhcpBindings.all().map((binding) => binding.network_id)).toEqual([external.id]);
});

test('what nobody could take is claimed by the agent that comes, which is not told of it besides', async () => {
  const rig = await AgentsRig.start();
  const external = rig.external();
  const routers = [gateway(rig, external.id), rig.make('routers'), gateway(rig, external.id)].map(({ id }) => id);
  const served = rig.make('networks').id;
  rig.make('subnets', { network_id: served, cidr: '10.0.0.0/24', ip_version: 4 });
  const [l3, dhcp] = [await rig.agent('l3', 'h1'), await rig.agent('dhcp', 'h1')];
  expect((await l3.ask<string[]>('get_router_ids', {}, '1.9')).toSorted()).toEqual(routers.toSorted());
  const networks = await dhcp.ask<{ id: string }[]>('get_active_networks_info', { enable_dhcp_filter: false }, '1.1');
  expect(
    networks.map((network) => network.id),
    'only those with DHCP',
  ).toEqual([served]);
  expect([await l3.heard(), await dhcp.heard()]).toEqual([[], []]);
  expect(await (await rig.agent('l3', 'h2')).ask('get_router_ids')).toEqual([]);
});

test('an agent that is set down, or takes no such routers, gets none', async () => {
  const rig = await AgentsRig.start();
  const external = rig.external();
  const outward = await rig.agent('l3', 'h1', { configurations: { handle_internal_only_routers: false } });
  const down = await rig.agent('l3', 'h2');
  rig.ask('PUT', `agents/${rig.agentId(down)}`, { agent: { admin_state_up: false } });
  const inside = rig.make('routers');
  const subnet_id = first(rig.network(['10.0.0.0/24']).subnets).id;
  rig.ask('PUT', `routers/${inside.id}/add_router_interface`, { subnet_id });
  const outside = gateway(rig, external.id);
  const agentOf = (id: string) => rig.store.routers.get(id)?.agent_id;
  expect([agentOf(inside.id), agentOf(outside.id)]).toEqual([null, rig.agentId(outward)]);
});

test('what a deleted agent had is free for the next, and a deleted network is on none', async () => {
  const rig = await AgentsRig.start();
  const [l3, dhcp] = [await rig.agent('l3', 'h1'), await rig.agent('dhcp', 'h1')];
  const external = rig.external();
  const { id } = gateway(rig, external.id);
  for (const agent of [l3, dhcp]) rig.ask('DELETE', `agents/${rig.agentId(agent)}`);
  expect(rig.store.routers.get(id)?.agent_id).toBeNull();
  expect(rig.store.dhcpBindings.size).toBe(0);
  expect(await (await rig.agent('l3', 'h2')).ask('get_router_ids')).toEqual([id]);
  await rig.agent('dhcp', 'h2');
  const served = rig.network(['10.0.0.0/24']);
  expect(rig.store.dhcpBindings.size).toBe(1);
  rig.ask('DELETE', `networks/${served.id}`);
  expect(rig.store.dhcpBindings.size).toBe(0);
});

test('routers are moved by hand', async () => {
  const rig = await AgentsRig.start();
  const [one, two] = [await rig.agent('l3', 'h1'), await rig.agent('l3', 'h2')];
  const dhcp = await rig.agent('dhcp', 'h1');
  const [from, to] = [`agents/${rig.agentId(one)}/l3-routers`, `agents/${rig.agentId(two)}/l3-routers`];
  const { id: router_id } = rig.make('routers');
  const zero = '00000000-0000-4000-8000-000000000000';
  rig.ask('POST', from, { router_id });
  const [added] = await one.messages();
  expect([added?.method, added?.args]).toEqual(['router_added_to_agent', { payload: [router_id] }]);
  expect(rig.told.at(-1)).toEqual({
    eventType: 'l3_agent.router.add',
    payload: { agent: { id: rig.agentId(one), router_id } },
  });
  rig.ask('POST', from, { router_id });
  expect(rig.ask('GET', from).routers).toMatchObject([{ id: router_id, availability_zones: ['nova'] }]);
  expect(rig.ask('GET', `routers/${router_id}/l3-agents`).agents).toMatchObject([{ host: 'h1', alive: true }]);
  expect(fault(() => rig.ask('POST', to, { router_id }))).toEqual({
    status: 409,
    type: 'RouterHostedByL3Agent',
    message: `The router ${router_id} has been already hosted by the L3 Agent ${rig.agentId(one)}.`,
  });
  expect(fault(() => rig.ask('POST', `agents/${rig.agentId(dhcp)}/l3-routers`, { router_id })).type).toBe(
    'InvalidL3Agent',
  );
  expect(fault(() => rig.ask('POST', `agents/${zero}/l3-routers`, { router_id })).type).toBe('AgentNotFound');
  expect(fault(() => rig.ask('POST', from, { router_id: zero })).type).toBe('RouterNotFound');
  rig.ask('DELETE', `${from}/${router_id}`);
  const [removed] = await one.messages();
  expect([removed?.method, removed?.args]).toEqual(['router_removed_from_agent', { payload: { router_id } }]);
  rig.ask('POST', to, { router_id });
  expect(await two.heard()).toEqual(['router_added_to_agent']);
});

test('networks are moved by hand, and the address of their DHCP server is kept', async () => {
  const rig = await AgentsRig.start();
  const [one, two] = [await rig.agent('dhcp', 'h1'), await rig.agent('dhcp', 'h2')];
  const l3 = await rig.agent('l3', 'h1');
  const { id: network_id } = rig.make('networks');
  const path = (agent: typeof one) => `agents/${rig.agentId(agent)}/dhcp-networks`;
  const add = (agent: typeof one) => rig.ask('POST', path(agent), { network_id });
  const remove = (agent: typeof one) => rig.ask('DELETE', `${path(agent)}/${network_id}`);
  add(one);
  expect(await one.heard()).toEqual(['network_create_end']);
  expect(fault(() => add(one))).toMatchObject({ status: 409, type: 'NetworkHostedByDHCPAgent' });
  expect(fault(() => add(l3))).toMatchObject({ status: 404, type: 'InvalidDHCPAgent' });
  expect(fault(() => remove(two))).toMatchObject({ status: 409, type: 'NetworkNotHostedByDhcpAgent' });
  expect(rig.ask('GET', path(one)).networks).toMatchObject([{ id: network_id }]);
  expect(rig.ask('GET', `networks/${network_id}/dhcp-agents`).agents).toMatchObject([{ host: 'h1' }]);
  const { id: subnet_id } = rig.make('subnets', { network_id, cidr: '10.0.0.0/24', ip_version: 4 });
  const device = (host: string) => ({ network_id, device_id: deviceIds[host], project_id: 'admin' });
  const deviceIds: Record<string, string> = {
    h1: `dhcp${uuids.h1}-${network_id}`,
    h2: `dhcp${uuids.h2}-${network_id}`,
  };
  const asked = { port: { port: { ...device('h1'), fixed_ips: [{ subnet_id }] } } };
  const port = await one.ask<{ id: string; fixed_ips: unknown }>('create_dhcp_port', asked, '1.1');
  remove(one);
  expect((await one.heard()).at(-1)).toBe('network_delete_end');
  expect(rig.store.ports.get(port.id)?.device_id).toBe('reserved_dhcp_port');
  const take = { port_id: port.id, port: { port: device('h2') } };
  await expect(two.ask('update_dhcp_port', take, '1.1')).rejects.toMatchObject({
    remoteClass: 'NetworkNotFound',
  });
  add(two);
  expect(await two.ask('update_dhcp_port', take, '1.1')).toMatchObject({
    id: port.id,
    fixed_ips: port.fixed_ips,
    device_id: deviceIds.h2,
    'binding:host_id': 'h2',
  });
  expect(await one.ask('update_dhcp_port', { ...take, port: { port: device('h1') } }, '1.1')).toBeNull();
});

/** `uuid.uuid5(uuid.NAMESPACE_DNS, host)` of Python. */
const uuids = { h1: '8839d356-f787-5a0b-8010-d454645c55f8', h2: '8a986375-22d2-5c2e-aa55-1f07567f4524' };
