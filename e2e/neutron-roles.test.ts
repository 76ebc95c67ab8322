import { connectMessaging } from '@astara/messaging/messaging.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { Network, Port } from '@astara/openstack/neutron-types.ts';
import type { ApplianceDefaults, Built } from '@astara/orchestrator/drivers/built.ts';
import { NetworkDriver } from '@astara/orchestrator/drivers/network/driver.ts';
import { RouterDriver } from '@astara/orchestrator/drivers/router/driver.ts';
import { NotificationIntake } from '@astara/orchestrator/intake/notifications.ts';
import { NeutronAgents } from '@astara/orchestrator/neutron/agents.ts';
import { Mirror } from '@astara/orchestrator/neutron/mirror/mirror.ts';
import { NeutronRpc } from '@astara/orchestrator/neutron/rpc.ts';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cloud } from './lib/openstack.ts';
import { Rest } from './lib/rest.ts';
import { waitFor } from './lib/wait.ts';

/**
 * The agent roles alone, against the real Neutron: as the agents of another host, with an L2 agent that only reports, and a data
 * plane that takes every configuration at once. What is asserted is what Neutron believes.
 */

const HOST = 'roles1';
const transportUrl = process.env.ASTARA_LAB_TRANSPORT ?? 'rabbit://openstack:labpass@127.0.0.1:5672/';
const log = pino({ level: process.env.ROLES_LOG ?? 'silent' });

const messaging = connectMessaging({ transportUrl, connectionName: 'e2e-roles', log });
const cloud = new Cloud(`e2e-roles-${process.pid}`);
const rest = new Rest();
const mirror = new Mirror();
const l2 = new NeutronRpc(messaging, HOST, 'nova');
/** Calls to Neutron, by method. */
const calls = new Map<string, number>();
const inForce = new Map<string, Built>();
const removed: string[] = [];
const options = { timeout: 10_000 };

const agents: NeutronAgents = new NeutronAgents({
  messaging,
  host: HOST,
  availabilityZone: 'nova',
  mirror,
  roles: { l3: true, dhcp: true },
  needsPort: (id) => networks.needsInstance(id),
  enqueue: (key) => void setImmediate(reconcile, key),
  observe: (method) => void calls.set(method, (calls.get(method) ?? 0) + 1),
  options: { reportInterval: 2_000 },
  logger: log,
});
const defaults: ApplianceDefaults = {
  plug: 'bridge',
  metadataEndpoint: undefined,
  dnsForwarders: [],
  dnsDomain: 'openstacklocal',
  leaseDuration: 86_400,
};
const shared = { mirror, mode: 'router' as const, defaults, ready: agents.dhcp.ready };
const routers = new RouterDriver({ ...shared, floatingIps: agents.l3.floatingIps });
const networks = new NetworkDriver({ ...shared, host: HOST });
const intake = new NotificationIntake({
  mirror,
  l3: agents.l3,
  changed: (keys, priority) => agents.changed(keys, priority),
});

/** A data plane without a delay. */
function reconcile({ kind, id }: ResourceKey): void {
  const driver = kind === 'router' ? routers : networks;
  const desired = driver.desired(id);
  if (desired === 'unknown') return;
  if (desired === 'absent') {
    if (inForce.delete(id)) removed.push(id);
    driver.onRemoved(id);
    return;
  }
  inForce.set(id, desired);
  driver.onApplied(id, desired);
}

function reportL2(start: boolean): Promise<unknown> {
  const configurations = {
    extensions: [],
    bridge_mappings: {},
    interface_mappings: { external: 'none' },
    tunneling_ip: '10.199.0.254',
    tunnel_types: ['vxlan'],
    l2_population: true,
    devices: 0,
  };
  const state = { binary: 'neutron-linuxbridge-agent', agentType: 'Linux bridge agent', topic: 'N/A', configurations };
  return l2.reportState(state, start, options);
}

/** What an L2 agent says when it has wired a port; then only DHCP keeps the port from being ACTIVE. */
function wired(port: Port): Promise<unknown> {
  const args = { device: port.id, agent_id: 'lb-roles', host: HOST };
  return messaging.call({ topic: 'q-plugin', version: '1.9' }, 'update_device_up', args, options);
}

const agent = async (type: string) => (await cloud.list('agent', { agent_type: type, host: HOST }))[0];

/** Has Neutron give it to the agents of this test, whichever it had given it to. */
async function take(kind: 'l3-routers' | 'dhcp-networks', id: string): Promise<void> {
  const [field, type] = kind === 'l3-routers' ? ['router_id', 'L3 agent'] : ['network_id', 'DHCP agent'];
  const hosting = kind === 'l3-routers' ? `/routers/${id}/l3-agents` : `/networks/${id}/dhcp-agents`;
  const own = await agent(type);
  const { agents: now } = await rest.neutron<{ agents: { id: string }[] }>('GET', hosting);
  for (const other of now.filter((one) => one.id !== own?.id)) {
    await rest.neutron('DELETE', `/agents/${other.id}/${kind}/${id}`);
  }
  if (!now.some((one) => one.id === own?.id)) await rest.neutron('POST', `/agents/${own?.id}/${kind}`, { [field]: id });
}

const bound = (network: Network, name: string) =>
  cloud.createPort(network, name, { device_owner: 'lab:test', device_id: name, 'binding:host_id': HOST });

beforeAll(async () => {
  await messaging.ready(AbortSignal.timeout(10_000));
  await reportL2(true);
  await intake.listen(messaging, 'neutron', ['notifications'], HOST);
  await agents.start();
  await waitFor('the mirror to be filled', () => mirror.filled);
});

afterAll(async () => {
  try {
    await cloud.cleanup();
  } finally {
    await agents.stop();
    await messaging.close();
    // Others' routers must not be scheduled to a host that is not there.
    for (const one of await cloud.list('agent', { host: HOST })) await rest.neutron('DELETE', `/agents/${one.id}`);
  }
});

test('a router with everything: scheduled, in force, believed by Neutron', async () => {
  const network = await cloud.createNetwork('n');
  const subnet = await cloud.createSubnet(network, '10.61.0.0/24', { dns_nameservers: ['9.9.9.9'] });
  const router = await cloud.createRouter('r');
  await cloud.addInterface(router, { subnet_id: subnet.id });
  await take('l3-routers', router.id);
  await take('dhcp-networks', network.id);
  await cloud.setGateway(router, await cloud.external());
  const vm = await bound(network, 'vm');
  const fip = await cloud.createFloatingIp({ port_id: vm.id });

  const config = await waitFor('the router to be whole', () => {
    const { config } = inForce.get(router.id) ?? {};
    const inside = config?.networks.find((one) => one.network_type === 'internal');
    const whole = config?.floating_ips.length === 1 && (inside?.allocations.length ?? 0) === 1;
    return whole && inside?.subnets[0]?.dhcp_enabled ? config : undefined;
  });
  expect(config.networks.map((one) => one.network_type)).toEqual(['external', 'internal']);
  expect(config.floating_ips[0]).toMatchObject({ floating_ip: fip.floating_ip_address });
  await waitFor('the floating IP to be ACTIVE', async () => (await cloud.get('floatingip', fip)).status === 'ACTIVE');
  await wired(vm);
  await waitFor('the port to be ACTIVE', async () => (await cloud.get('port', vm)).status === 'ACTIVE');
  // The router answers DHCP on its own address.
  const dhcp = () => cloud.list('port', { network_id: network.id, device_owner: 'network:dhcp' });
  await waitFor('no DHCP port', async () => (await dhcp()).length === 0);

  await waitFor('true counts', async () => {
    const { alive, configurations } = (await agent('L3 agent')) ?? {};
    const { routers, ex_gw_ports, interfaces, floating_ips } = configurations ?? {};
    return alive === true && [routers, ex_gw_ports, interfaces, floating_ips].join() === '1,1,1,1';
  });
  // Neutron may have given it the external network too, which has no DHCP.
  const dhcpAgent = await agent('DHCP agent');
  expect(dhcpAgent?.alive).toBe(true);
  expect(dhcpAgent?.configurations.networks).toBe(mirror.networks.scheduled().length);

  await cloud.updateFloatingIp(fip, null);
  await waitFor('the floating IP to be gone', () => inForce.get(router.id)?.config.floating_ips.length === 0);
  await waitFor('the floating IP to be DOWN', async () => (await cloud.get('floatingip', fip)).status === 'DOWN');

  await cloud.update('router', router, { admin_state_up: false });
  await waitFor('the router to be removed', () => !inForce.has(router.id));
  await cloud.update('router', router, { admin_state_up: true });
  await waitFor('the router to be back', () => inForce.has(router.id));
});

test('floating IPs take no question: from the notification to the data plane', async () => {
  const network = await cloud.createNetwork('f');
  const subnet = await cloud.createSubnet(network, '10.62.0.0/24');
  const router = await cloud.createRouter('f');
  await cloud.setGateway(router, await cloud.external());
  await cloud.addInterface(router, { subnet_id: subnet.id });
  await take('l3-routers', router.id);
  const vm = await bound(network, 'f');
  await waitFor('the router', () => inForce.get(router.id)?.config.networks.length === 2);
  const fip = await cloud.createFloatingIp();
  await waitFor('quiet', () => agents.l3.role.stale === 0);
  const delays: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    const wanted = i % 2 === 0 ? 1 : 0;
    const seen = waitFor('the change', () => inForce.get(router.id)?.config.floating_ips.length === wanted, {
      interval: 1,
    });
    const at = seen.then(() => performance.now());
    await cloud.updateFloatingIp(fip, wanted === 1 ? vm : null);
    delays.push((await at) - performance.now());
  }
  log.info({ delays: delays.map(Math.round) }, 'in force after the API answered, ms');
  expect(delays.toSorted((a, b) => a - b)[5]).toBeLessThan(50);
});

test('a network without a router: a DHCP port of ours, bound here; both go with the network', async () => {
  const network = await cloud.createNetwork('i');
  await cloud.createSubnet(network, '10.63.0.0/24');
  await take('dhcp-networks', network.id);
  const vm = await bound(network, 'i');
  const config = await waitFor('its instance', () => {
    const { config } = inForce.get(network.id) ?? {};
    return config?.networks[0]?.allocations.length === 1 ? config : undefined;
  });
  expect(config.networks[0]?.network_type).toBe('isolated');
  const [own] = await cloud.list('port', { network_id: network.id, device_owner: 'network:dhcp' });
  expect(own).toMatchObject({ 'binding:host_id': HOST });
  await wired(vm);
  await waitFor('the port to be ACTIVE', async () => (await cloud.get('port', vm)).status === 'ACTIVE');
  await cloud.delete('port', vm);
  await cloud.delete('network', network);
  await waitFor('the instance to be gone', () => removed.includes(network.id));
});

test('agents set down and up: nothing is served meanwhile, everything afterwards', async () => {
  const before = [...inForce.keys()].length;
  expect(before).toBeGreaterThan(0);
  for (const type of ['L3 agent', 'DHCP agent']) {
    const id = (await agent(type))?.id;
    await rest.neutron('PUT', `/agents/${id}`, { agent: { admin_state_up: false } });
  }
  await waitFor('nothing to be served', () => inForce.size === 0);
  for (const type of ['L3 agent', 'DHCP agent']) {
    const id = (await agent(type))?.id;
    await rest.neutron('PUT', `/agents/${id}`, { agent: { admin_state_up: true } });
  }
  await waitFor('everything to be served', () => inForce.size >= before);
});
