import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Priority } from '../queue/priority.ts';
import { FakeMessaging } from '../testing/fake-messaging.ts';
import { activeNetworks, dhcpPort, first } from '../testing/fixtures.ts';
import { network, port, subnet } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { world } from '../testing/world.ts';
import { dhcpDeviceId } from './device-id.ts';
import { DhcpPorts } from './dhcp-ports.ts';
import { Gate } from './gate.ts';
import { Mirror } from './mirror/mirror.ts';
import { NeutronRpc } from './rpc.ts';

test('a network with an instance of its own gets a DHCP port, by the very request of the stock agent', async () => {
  const net = first(activeNetworks()).id;
  const made = world({ needsPort: (networkId) => networkId === net });
  made.bus.answer('create_dhcp_port', () => dhcpPort());
  await made.agents.start();
  await until('port', () => made.mirror.networks.port(dhcpPort().id) !== undefined);
  const { args } = first(made.bus.of('create_dhcp_port'));
  expect(args).toMatchObject({
    host: 'lab1',
    port: { port: { device_id: dhcpDeviceId('lab1', net), network_id: net, name: '', admin_state_up: true } },
  });
  expect(dhcpPort().device_id).toBe(dhcpDeviceId('lab1', net));
  expect(made.queue.at(-1)).toEqual({ key: { kind: 'network', id: net }, priority: Priority.user });
  await until('idle', () => made.agents.dhcp.ports.idle);
  expect(made.bus.of('create_dhcp_port')).toHaveLength(1);
});

test('a DHCP port that Neutron reserved is taken over; one with too few subnets is mended; a needless one is given back', async () => {
  const subnets = [subnet('c1', 'b1', '10.0.0.0/24'), subnet('c2', 'b1', '10.0.1.0/24')];
  const reserved = port('p1', 'b1', {
    device_id: 'reserved_dhcp_port',
    device_owner: 'network:dhcp',
    fixed_ips: [{ subnet_id: 'c1', ip_address: '10.0.0.2' }],
  });
  let needed = true;
  const made = world({ needsPort: (networkId) => networkId === 'b1' && needed });
  made.bus.answer('get_active_networks_info', () => [network('b1', subnets, [reserved])]);
  made.bus.answer('update_dhcp_port', ({ port: asked }) => ({
    ...reserved,
    ...(asked as { port: object }).port,
    revision_number: 3,
  }));
  await made.agents.start();
  await until('mended', () => made.mirror.networks.port('p1')?.device_id === dhcpDeviceId('lab1', 'b1'));
  expect(first(made.bus.of('update_dhcp_port')).args).toMatchObject({
    port_id: 'p1',
    port: { port: { fixed_ips: [{ subnet_id: 'c1', ip_address: '10.0.0.2' }, { subnet_id: 'c2' }] } },
  });
  needed = false;
  made.agents.dhcp.ports.check(['b1']);
  await until('given back', () => made.bus.of('release_dhcp_port').length === 1, 8000);
  expect(made.mirror.networks.port('p1')).toBeUndefined();
});

test('a network without a client waits a moment for a router before it takes an address; with one it does not', async () => {
  const subnets = [subnet('c1', 'b1', '10.0.0.0/24')];
  const made = world({ needsPort: () => true });
  made.bus.answer('get_active_networks_info', () => [network('b1', subnets)]);
  made.bus.answer('create_dhcp_port', () =>
    port('p1', 'b1', { device_owner: 'network:dhcp', device_id: dhcpDeviceId('lab1', 'b1') }),
  );
  await made.agents.start();
  await until('filled', () => made.mirror.filled);
  expect(made.bus.of('create_dhcp_port')).toHaveLength(0);
  made.bus.send('dhcp_agent', 'port_create_end', { payload: { port: port('vm1', 'b1') } });
  await until('made', () => made.bus.of('create_dhcp_port').length === 1, 1000);
});

test('no port is given back while everything is being listed', async () => {
  const subnets = [subnet('c1', 'b1', '10.0.0.0/24')];
  const own = port('p1', 'b1', { device_owner: 'network:dhcp', device_id: dhcpDeviceId('lab1', 'b1') });
  const bus = new FakeMessaging();
  bus.answer('release_dhcp_port', () => null);
  const mirror = new Mirror();
  mirror.l3.filled = true;
  mirror.dhcp.filled = true;
  mirror.ingestNetworks([network('b1', subnets, [own])], mirror.stamp());
  const gate = new Gate(60_000);
  const ports = new DhcpPorts({
    rpc: new NeutronRpc(bus, 'lab1', 'nova'),
    mirror,
    gate,
    needed: () => false,
    changed: () => undefined,
    provisioned: () => undefined,
    logger: pino({ level: 'silent' }),
    releaseAfter: 0,
  });
  onTestFinished(() => ports.stop());
  gate.hold('l3_agent');
  ports.check(['b1']);
  await until('looked at', () => ports.idle);
  expect(bus.calls).toHaveLength(0);
  gate.release('l3_agent');
  await until('given back', () => mirror.networks.port('p1') === undefined);
  expect(bus.calls.map((call) => call.method)).toEqual(['release_dhcp_port']);
});
