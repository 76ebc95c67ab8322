import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { provisioned } from '../network/ports.ts';
import { AgentsRig, type FakeAgent } from '../testing/agents-rig.ts';
import { first, type Json } from '../testing/rig.ts';

/** Messages of a real Neutron (Zed, 21.0.0), recorded on the wire. */
function recorded<T>(name: string): T {
  const path = new URL(`../../../orchestrator/test-fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** Keys with the types of their values, `a.b[].c` → `string`; null goes with every type. A row number of its database is Neutron's own. */
function shapeOf(value: unknown, path = '', into = new Map<string, Set<string>>()): Map<string, Set<string>> {
  const types = into.get(path) ?? new Set();
  into.set(path, types);
  if (Array.isArray(value)) {
    types.add('list');
    for (const item of value) shapeOf(item, `${path}[]`, into);
  } else if (typeof value === 'object' && value !== null) {
    types.add('object');
    for (const [key, item] of Object.entries(value)) {
      if (key !== 'standard_attr_id') shapeOf(item, path === '' ? key : `${path}.${key}`, into);
    }
  } else if (value !== null) types.add(typeof value);
  return into;
}

/** `more`: what only one of the two has; why is said where it is called. Lists that are empty in one of them say nothing. */
function expectSameShape(ours: unknown, real: unknown, more: readonly string[] = []): void {
  const [mine, theirs] = [shapeOf(ours), shapeOf(real)];
  const lists = [...mine].filter(([path, types]) => types.has('list') && theirs.get(path)?.has('list') === true);
  const empty = lists.map(([path]) => `${path}[]`).filter((path) => !mine.has(path) || !theirs.has(path));
  const skipped = [...more, ...empty];
  const counts = (path: string) =>
    !skipped.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
  const keys = (shape: Map<string, unknown>) => [...shape.keys()].filter(counts).toSorted();
  expect(keys(mine)).toEqual(keys(theirs));
  for (const path of keys(mine)) {
    const [own = new Set(), other = new Set()] = [mine.get(path), theirs.get(path)];
    if (own.size > 0 && other.size > 0) expect([...own], path).toEqual([...other]);
  }
}

/** Port forwarding is not loaded in the cloud that was recorded. */
const forwarding = '[]._floatingips[].port_forwardings';

async function served() {
  const rig = await AgentsRig.start();
  const [l3, dhcp] = [await rig.agent('l3', 'lab1'), await rig.agent('dhcp', 'lab1')];
  const { router, external, server, inside } = rig.routed();
  rig.make('subnets', { network_id: inside.id, cidr: 'fd01:1::/64', ip_version: 6 });
  const routes = [{ destination: '172.31.0.0/16', nexthop: '10.1.0.77' }];
  rig.ask('PUT', `routers/${router.id}`, { router: { routes } });
  rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  for (const { id } of inside.subnets) {
    const subnet = { dns_nameservers: ['9.9.9.9'], enable_dhcp: true };
    rig.ask('PUT', `subnets/${id}`, { subnet });
  }
  rig.make('subnets', {
    network_id: inside.id,
    cidr: '10.77.0.0/24',
    ip_version: 4,
    host_routes: [{ destination: '172.20.0.0/16', nexthop: '10.77.0.250' }],
    dns_nameservers: ['9.9.9.9'],
  });
  return { rig, l3, dhcp, router, server, inside };
}

test('sync_routers answers as Neutron does', async () => {
  const { l3, router, rig } = await served();
  const routers = await l3.ask<Json[]>('sync_routers', { router_ids: [router.id, 'another'] });
  const real = recorded<Json[]>('sync-routers');
  expectSameShape(routers, real, [forwarding]);
  expect(routers).toMatchObject([{ id: router.id, gw_port_host: 'lab1', ha_vr_id: 0, enable_snat: true }]);
  for (const port of rig.store.ports.by('device', router.id)) expect(port.host_id).toBe('lab1');
  rig.ask('PUT', `routers/${router.id}`, { router: { admin_state_up: false } });
  expect(await l3.ask('sync_routers', { router_ids: [router.id] })).toEqual([]);
});

test('a bare router has only what there is', async () => {
  const rig = await AgentsRig.start();
  const l3 = await rig.agent('l3', 'lab1');
  const { id } = rig.make('routers');
  await l3.ask('get_router_ids');
  const bare = first(await l3.ask<Json[]>('sync_routers', { router_ids: [id] }));
  expect(bare).toMatchObject({ gw_port_id: null, gw_port_host: null, external_gateway_info: null });
  for (const key of ['gw_port', 'enable_snat', '_interfaces', '_floatingips']) expect(bare).not.toHaveProperty(key);
});

test('networks are told to DHCP agents as Neutron tells them', async () => {
  const { dhcp, rig, inside } = await served();
  const options = [{ opt_name: 'mtu', opt_value: '1400', ip_version: 4 }];
  rig.make('ports', { network_id: inside.id, extra_dhcp_opts: options, 'binding:host_id': 'lab1' });
  const info = await dhcp.ask('get_network_info', { network_id: inside.id });
  expectSameShape(info, recorded('network-info'));
  expect(await dhcp.ask('get_network_info', { network_id: 'none' })).toBeNull();
  const all = await dhcp.ask('get_active_networks_info', { enable_dhcp_filter: false }, '1.1');
  expectSameShape(all, recorded('active-networks'));
});

test('DHCP ports are made, taken and released', async () => {
  const { dhcp, rig, inside } = await served();
  const request = recorded<{ port: { port: Json } }>('create-dhcp-port-request');
  const asked: Json = {
    ...request.port.port,
    network_id: inside.id,
    fixed_ips: [{ subnet_id: first(inside.subnets).id }],
  };
  const port = await dhcp.ask<Json>('create_dhcp_port', { port: { port: asked } }, '1.1');
  expectSameShape(port, recorded('dhcp-port'), ['binding:vif_details.bound_drivers']);
  expect(port).toMatchObject({ device_owner: 'network:dhcp', 'binding:host_id': 'lab1', device_id: asked.device_id });
  expect(await dhcp.ask('get_dhcp_port', { port_id: port.id }, '1.8')).toMatchObject({ id: port.id });
  const nowhere = { ...asked, fixed_ips: [{ subnet_id: '00000000-0000-4000-8000-000000000000' }] };
  expect(await dhcp.ask('create_dhcp_port', { port: { port: nowhere } }, '1.1'), 'the subnet is gone').toBeNull();
  await dhcp.ask('release_dhcp_port', { network_id: inside.id, device_id: asked.device_id });
  expect(rig.store.ports.get(String(port.id))).toBeUndefined();
});

test('a port on a network with DHCP is ACTIVE when it is wired and served', async () => {
  const { dhcp, rig, inside } = await served();
  const { id } = rig.make('ports', { network_id: inside.id, 'binding:host_id': 'lab1' });
  const row = () => {
    const found = rig.store.ports.get(id);
    if (found === undefined) throw new Error('no port');
    return found;
  };
  expect(row()).toMatchObject({ status: 'DOWN', provisioning: ['L2', 'DHCP'] });
  await dhcp.ask('dhcp_ready_on_ports', { port_ids: [id, 'gone'] }, '1.5');
  expect(row()).toMatchObject({ status: 'DOWN', provisioning: ['L2'] });
  rig.requests.system((context) => provisioned(context, row(), 'L2'));
  expect(row().status).toBe('ACTIVE');
});

test('casts have the shape of Neutron’s', async () => {
  const { rig, l3, dhcp, inside, router } = await served();
  const port = rig.make('ports', { network_id: inside.id, 'binding:host_id': 'lab1' });
  const subnet = rig.store.subnets.by('network', inside.id).at(-1);
  rig.ask('PUT', `ports/${port.id}`, { port: { fixed_ips: [{ ip_address: '10.77.0.99' }] } });
  rig.ask('DELETE', `ports/${port.id}`);
  rig.ask('PUT', `networks/${inside.id}`, { network: { name: 'm' } });
  rig.ask('DELETE', `subnets/${subnet?.id}`);
  const path = `agents/${rig.agentId(l3)}/l3-routers`;
  rig.ask('DELETE', `${path}/${router.id}`);
  rig.ask('POST', path, { router_id: router.id });
  const ours = new Map<string, Json>();
  for (const agent of [l3, dhcp] as const)
    for (const { method, args } of await agent.messages()) ours.set(method, args);
  const real = recorded<Record<string, { method: string; args: Json }>>('casts');
  const compared = new Set<string>();
  for (const { method, args } of Object.values(real)) {
    const mine = ours.get(method);
    if (mine === undefined) continue;
    compared.add(method);
    // An update tells of the subnet alone; a port is bound a moment after it was made.
    const more = method === 'subnet_update_end' ? ['payload.subnet.network'] : [];
    expectSameShape(mine, args, [...more, 'payload.port.binding:vif_details']);
  }
  expect(compared.size).toBeGreaterThan(10);
});

test('report_state says what the server thought of the agent', async () => {
  const rig = await AgentsRig.start();
  const report = recorded<Record<'l3' | 'dhcp', Json>>('report-state');
  const l3: FakeAgent = await rig.agent('l3', 'other');
  const send = () => l3.call<string>('q-reports-plugin', '1.2', 'report_state', report.l3);
  expect([await send(), await send()]).toEqual(['new', 'alive']);
  const { agent_state: state } = report.l3.agent_state as { agent_state: { host: string; configurations: Json } };
  const row = rig.agents.registry.find('L3 agent', state.host);
  expect(row).toMatchObject({
    binary: 'neutron-l3-agent',
    availability_zone: 'nova',
    configurations: state.configurations,
  });
  if (row === undefined) throw new Error('no agent');
  rig.requests.system(({ store }) => store.agents.put({ ...row, heartbeat: Date.now() - 76_000 }));
  expect([await send(), await send()]).toEqual(['revived', 'alive']);
});

test('what is not there is answered as oslo.messaging answers it', async () => {
  const rig = await AgentsRig.start();
  const l3 = await rig.agent('l3', 'lab1');
  await expect(l3.ask('no_such_method')).rejects.toMatchObject({ remoteClass: 'NoSuchMethod' });
  await expect(l3.ask('get_router_ids', {}, '1.13')).rejects.toMatchObject({ remoteClass: 'UnsupportedVersion' });
  await expect(l3.ask('sync_routers', { router_ids: 7 })).rejects.toMatchObject({ remoteClass: 'InvalidInput' });
  const stranger = l3.call('q-l3-plugin', '1.0', 'sync_routers', { host: 'nobody', router_ids: [] });
  await expect(stranger).rejects.toMatchObject({ remoteClass: 'AgentNotFoundByTypeHost' });
  expect(await l3.ask('get_host_ha_router_count', {}, '1.11')).toBe(0);
  expect(await l3.ask('get_service_plugin_list', {}, '1.3')).toContain('L3_ROUTER_NAT');
});

test('statuses of floating IPs are what the agent says, and DOWN when they have left', async () => {
  const { rig, l3, router } = await served();
  const row = () => first(rig.store.floatingIps.all());
  const { id } = row();
  const report = (fip_statuses: Json) =>
    l3.ask('update_floatingip_statuses', { router_id: router.id, fip_statuses }, '1.1');
  expect(await report({ [id]: 'ACTIVE', gone: 'DOWN' })).toBeNull();
  expect(row().status).toBe('ACTIVE');
  rig.ask('PUT', `floatingips/${id}`, { floatingip: { port_id: null } });
  expect(row().status).toBe('ACTIVE');
  await report({});
  expect(row().status).toBe('DOWN');
});
