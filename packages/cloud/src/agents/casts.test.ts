import { expect, test } from 'vitest';
import { AgentsRig } from '../testing/agents-rig.ts';
import { first } from '../testing/rig.ts';

test('the agent of a router, and no other, is told of each change to it', async () => {
  const rig = await AgentsRig.start();
  const [one, two] = [await rig.agent('l3', 'h1'), await rig.agent('l3', 'h2')];
  const bare = rig.make('routers');
  expect(await one.heard(), 'nothing to do for a bare router').toEqual([]);
  rig.ask('DELETE', `routers/${bare.id}`);
  expect([await one.heard(), await two.heard()], 'told to all').toEqual([['router_deleted'], ['router_deleted']]);

  const { router, subnet, server, external } = rig.routed();
  const path = `routers/${router.id}`;
  const [mine, other] = rig.store.routers.get(router.id)?.agent_id === rig.agentId(one) ? [one, two] : [two, one];
  expect(await mine.heard(), 'gateway, interface').toEqual(['routers_updated', 'routers_updated']);
  const updated = async (what: string, work: () => unknown) => {
    work();
    expect(await mine.heard(), what).toEqual(['routers_updated']);
  };
  await updated('name', () => rig.ask('PUT', path, { router: { name: 'r' } }));
  await updated('admin state', () => rig.ask('PUT', path, { router: { admin_state_up: false } }));
  const routes = [{ destination: '172.16.0.0/16', nexthop: '10.1.0.9' }];
  await updated('routes', () => rig.ask('PUT', `${path}/add_extraroutes`, { router: { routes } }));
  await updated('no routes', () => rig.ask('PUT', `${path}/remove_extraroutes`, { router: { routes } }));
  let floatingIp = '';
  await updated('floating IP', () => {
    floatingIp = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id }).id;
  });
  const lead = (port_id: string | null) => rig.ask('PUT', `floatingips/${floatingIp}`, { floatingip: { port_id } });
  await updated('nowhere', () => lead(null));
  await updated('back', () => lead(server.id));
  await updated('its port goes', () => rig.ask('DELETE', `ports/${server.id}`));
  rig.ask('DELETE', `floatingips/${floatingIp}`);
  expect(await mine.heard(), 'it led nowhere').toEqual([]);
  await updated('way out', () =>
    rig.ask('PUT', `subnets/${first(external.subnets).id}`, { subnet: { gateway_ip: null } }),
  );
  await updated('interface goes', () => rig.ask('PUT', `${path}/remove_router_interface`, { subnet_id: subnet.id }));
  await updated('gateway goes', () => rig.ask('PUT', path, { router: { external_gateway_info: null } }));
  rig.ask('PUT', `${path}/tags`, { tags: ['t'] });
  expect(await mine.heard(), 'tags are not the agent’s').toEqual([]);
  expect(await other.heard()).toEqual([]);
});

test('what changes beside a router is told to its agent, too', async () => {
  const rig = await AgentsRig.start();
  const agent = await rig.agent('l3', 'h1');
  const { server, external, interfaceId, subnet } = rig.routed();
  const { id } = rig.make('floatingips', { floating_network_id: external.id });
  await agent.heard();
  const told = async (what: string, work: () => unknown) => {
    work();
    expect(await agent.heard(), what).toEqual(['routers_updated']);
  };
  const rule = {
    protocol: 'tcp',
    internal_port_id: server.id,
    internal_ip_address: server.fixed_ips[0]?.ip_address,
  };
  const path = `floatingips/${id}/port_forwardings`;
  await told('first rule', () => rig.make(path, { ...rule, external_port: 80, internal_port: 80 }));
  let second = '';
  await told('second rule', () => {
    second = rig.make(path, { ...rule, external_port: 81, internal_port: 81 }).id;
  });
  await told('rule', () => rig.ask('PUT', `${path}/${second}`, { port_forwarding: { internal_port: 82 } }));
  await told('rule goes', () => rig.ask('DELETE', `${path}/${second}`));
  const fixed_ips = [{ subnet_id: subnet.id, ip_address: '10.1.0.200' }];
  await told('address of the interface', () => rig.ask('PUT', `ports/${interfaceId}`, { port: { fixed_ips } }));
});

test('casts carry the request that led to them', async () => {
  const rig = await AgentsRig.start();
  const agent = await rig.agent('l3', 'h1');
  rig.caller = { ...rig.caller, requestId: 'req-42', timestamp: 1_763_000_000_123, userId: 'u1' };
  const { router } = rig.routed();
  expect(first(await agent.messages())).toMatchObject({
    method: 'routers_updated',
    version: '1.1',
    args: { routers: [router.id] },
    context: { requestId: 'req-42', timestamp: 1_763_000_000_123, userId: 'u1', isAdmin: true },
  });
});

test('what agents say of themselves comes back to nobody', async () => {
  const rig = await AgentsRig.start();
  const [l3, dhcp] = [await rig.agent('l3', 'h1'), await rig.agent('dhcp', 'h1')];
  const { router, server, external } = rig.routed();
  const floatingIp = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  await l3.heard();
  await dhcp.heard();
  await l3.ask('sync_routers', { router_ids: [router.id] });
  await l3.ask(
    'update_floatingip_statuses',
    { router_id: router.id, fip_statuses: { [floatingIp.id]: 'ACTIVE' } },
    '1.1',
  );
  await dhcp.ask('dhcp_ready_on_ports', { port_ids: [server.id] }, '1.5');
  await l3.report();
  expect([await l3.heard(), await dhcp.heard()]).toEqual([[], []]);
  expect(rig.store.floatingIps.get(floatingIp.id)?.status).toBe('ACTIVE');
});

test('a DHCP agent is told of its networks: what, in which order, and how urgent', async () => {
  const rig = await AgentsRig.start();
  const agent = await rig.agent('dhcp', 'h1');
  const { id: network_id } = rig.make('networks', { name: 'n' });
  expect(await agent.heard(), 'nothing to serve').toEqual([]);
  const told = async (work: () => unknown) => {
    work();
    return (await agent.messages()).map(({ method, args }) => ({ method, payload: args.payload }));
  };
  let [subnet_id, port_id] = ['', ''];
  const fixed_ips = [{ subnet_id: expect.any(String), ip_address: '10.0.0.77' }];
  expect(
    await told(() => {
      subnet_id = rig.make('subnets', { network_id, cidr: '10.0.0.0/24', ip_version: 4 }).id;
    }),
  ).toEqual([
    { method: 'network_create_end', payload: { network: { id: network_id }, priority: 0 } },
    {
      method: 'subnet_create_end',
      payload: {
        subnet: expect.objectContaining({ id: subnet_id, network: expect.objectContaining({ id: network_id }) }),
        priority: 3,
      },
    },
  ]);
  expect(
    await told(() => {
      port_id = rig.make('ports', { network_id }).id;
    }),
  ).toEqual([
    {
      method: 'port_create_end',
      payload: {
        port: expect.objectContaining({ id: port_id, network: expect.objectContaining({ id: network_id }) }),
        priority: 5,
      },
    },
  ]);
  expect(await told(() => rig.ask('PUT', `ports/${port_id}`, { port: { name: 'x' } })), 'not for DHCP').toEqual([]);
  const address = { port: { fixed_ips: [{ ip_address: '10.0.0.77' }] } };
  expect(await told(() => rig.ask('PUT', `ports/${port_id}`, address))).toEqual([
    {
      method: 'port_update_end',
      payload: { port: expect.objectContaining({ id: port_id, fixed_ips }), priority: 6 },
    },
  ]);
  const dns = { subnet: { dns_nameservers: ['9.9.9.9'] } };
  expect(await told(() => rig.ask('PUT', `subnets/${subnet_id}`, dns))).toEqual([
    {
      method: 'subnet_update_end',
      payload: { subnet: expect.objectContaining({ dns_nameservers: ['9.9.9.9'] }), priority: 3 },
    },
  ]);
  expect(await told(() => rig.ask('PUT', `networks/${network_id}`, { network: { name: 'm' } }))).toEqual([
    { method: 'network_update_end', payload: { network: expect.objectContaining({ name: 'm' }), priority: 1 } },
  ]);
  expect(await told(() => rig.ask('DELETE', `ports/${port_id}`))).toEqual([
    { method: 'port_delete_end', payload: { port_id, network_id, fixed_ips, priority: 6 } },
  ]);
  expect(await told(() => rig.ask('DELETE', `subnets/${subnet_id}`))).toEqual([
    { method: 'subnet_delete_end', payload: { subnet_id, network_id, priority: 4 } },
  ]);
  expect(await told(() => rig.ask('DELETE', `networks/${network_id}`))).toEqual([
    { method: 'network_delete_end', payload: { network_id, priority: 2 } },
  ]);
});

test('an agent is told when it is set up or down, and hears no more of its routers while it is down', async () => {
  const rig = await AgentsRig.start();
  const agent = await rig.agent('l3', 'h1');
  const { router } = rig.routed();
  await agent.heard();
  const set = (admin_state_up: boolean) =>
    rig.ask('PUT', `agents/${rig.agentId(agent)}`, { agent: { admin_state_up } });
  set(false);
  rig.ask('PUT', `routers/${router.id}`, { router: { name: 'r' } });
  const [told, ...others] = await agent.messages();
  expect([told?.method, told?.args, others]).toEqual(['agent_updated', { payload: { admin_state_up: false } }, []]);
  expect(await agent.ask('get_router_ids')).toEqual([]);
  set(true);
  expect(await agent.heard()).toEqual(['agent_updated']);
  expect(await agent.ask('get_router_ids')).toEqual([router.id]);
});
