import { expect, test } from 'vitest';
import { network, port } from '../testing/objects.ts';
import { until } from '../testing/until.ts';
import { filled } from '../testing/world.ts';
import { portText } from './mirror/relevant.ts';

test('ports are ready once what the mirror says of them is in force, once per event, in one call', async () => {
  const { bus, agents, mirror } = await filled();
  const [a, b] = [port('p1', 'b1', { fixed_ips: [] }), port('p2', 'b1')];
  mirror.scheduleNetwork('b1');
  mirror.ingestNetwork('b1', network('b1'), mirror.stamp());
  bus.send('dhcp_agent', 'port_create_end', { payload: { port: a } });
  bus.send('dhcp_agent', 'port_create_end', { payload: { port: b } });
  const served = (...ports: (typeof a)[]) => new Map([['b1', new Map(ports.map((one) => [one.id, portText(one)]))]]);
  agents.dhcp.ready.applied('a1', served({ ...a, mac_address: 'fa:16:3e:99:99:99' }));
  expect(agents.dhcp.ready.idle).toBe(true);
  agents.dhcp.ready.applied('a1', served(a, b));
  await until('told', () => agents.dhcp.ready.idle);
  expect(bus.of('dhcp_ready_on_ports').map((call) => call.args)).toEqual([{ port_ids: ['p1', 'p2'] }]);
  agents.dhcp.ready.applied('a1', served(a, b));
  expect(agents.dhcp.ready.idle).toBe(true);
  // Bound anew: the configuration is the same, Neutron waits all the same.
  bus.send('dhcp_agent', 'port_update_end', { payload: { port: { ...a, revision_number: 5 } } });
  await until('told again', () => agents.dhcp.ready.idle && bus.of('dhcp_ready_on_ports').length === 2);
});

test('a port that is bound to no host waits until it is', async () => {
  const { bus, agents, mirror } = await filled();
  mirror.scheduleNetwork('b1');
  mirror.ingestNetwork('b1', network('b1'), mirror.stamp());
  const unbound = port('p1', 'b1', { 'binding:host_id': '' });
  bus.send('dhcp_agent', 'port_create_end', { payload: { port: unbound } });
  agents.dhcp.ready.applied('a1', new Map([['b1', new Map([['p1', portText(unbound)]])]]));
  expect(agents.dhcp.ready.idle).toBe(true);
  bus.send('dhcp_agent', 'port_update_end', { payload: { port: port('p1', 'b1', { revision_number: 2 }) } });
  await until('told', () => bus.of('dhcp_ready_on_ports').length === 1);
});
