import { expect, test } from 'vitest';
import { changePort, dropPort } from '../network/ports.ts';
import { fault, Rig } from '../testing/rig.ts';

function forwarded() {
  const rig = new Rig();
  const routed = rig.routed();
  const { id } = rig.make('floatingips', { floating_network_id: routed.external.id });
  const path = `floatingips/${id}/port_forwardings`;
  const rule = {
    protocol: 'tcp',
    external_port: 8080,
    internal_port: 80,
    internal_port_id: routed.server.id,
    internal_ip_address: routed.server.fixed_ips[0]?.ip_address,
  };
  return { rig, ...routed, floatingIp: id, path, rule };
}

test('rules put the floating IP on the router, and with the last it leaves', () => {
  const { rig, router, floatingIp, path, rule } = forwarded();
  const made = rig.make(path, rule);
  expect(made).toMatchObject({ id: made.id, description: '', external_port_range: '8080:8080', ...rule });
  expect(rig.ask('GET', path)).toEqual({ port_forwardings: [made] });
  const { description: _, external_port_range: __, internal_port_range: ___, ...brief } = made;
  expect(rig.ask('GET', `floatingips/${floatingIp}`).floatingip).toMatchObject({
    router_id: router.id,
    port_id: null,
    port_forwardings: [brief],
  });
  const second = rig.make(path, { ...rule, external_port: 8081, internal_port: 81 });
  const update = { port_forwarding: { internal_port: 82, description: 'x' } };
  expect(rig.ask('PUT', `${path}/${second.id}`, update).port_forwarding).toMatchObject(update.port_forwarding);
  rig.ask('DELETE', `${path}/${made.id}`);
  expect(rig.store.floatingIps.get(floatingIp)?.router_id).toBe(router.id);
  rig.ask('DELETE', `${path}/${second.id}`);
  expect(rig.store.floatingIps.get(floatingIp)).toMatchObject({ router_id: null, last_known_router_id: router.id });
});

test('rules that cannot be are refused', () => {
  const { rig, path, rule, external, server, floatingIp } = forwarded();
  rig.make(path, rule);
  const refusal = (given: object) => fault(() => rig.make(path, { ...rule, ...given }));
  expect(refusal({ internal_port: 81 }).message).toBe(
    'Bad port_forwarding request: There is a port collision with the external_port_range. The following ranges collides: 8080:8080 and 8080:8080.',
  );
  expect(refusal({ external_port: 1 }).message).toMatch(/collision with the internal_port_range/);
  expect(refusal({ protocol: 'udp', internal_ip_address: '10.1.0.200' })).toMatchObject({ type: 'BadRequest' });
  expect(refusal({ protocol: 'gre' })).toMatchObject({ type: 'HTTPBadRequest' });
  expect(refusal({ external_port: 65536 })).toMatchObject({ type: 'HTTPBadRequest' });
  const far = rig.port(rig.network(['10.7.0.0/24']).id);
  const there = { internal_port_id: far.id, internal_ip_address: far.fixed_ips[0]?.ip_address, external_port: 9 };
  expect(refusal(there).message).toMatch(/is not reachable from subnet .* Cannot set Port forwarding for port/);
  const associate = () => rig.ask('PUT', `floatingips/${floatingIp}`, { floatingip: { port_id: server.id } });
  expect(fault(associate)).toMatchObject({ status: 409, type: 'FipInUseByPortForwarding' });
  expect(fault(() => rig.ask('DELETE', `floatingips/${floatingIp}`)).type).toBe('FipInUseByPortForwarding');
  const own = rig.port(server.network_id);
  rig.make('floatingips', { floating_network_id: external.id, port_id: own.id });
  const taken = { internal_port_id: own.id, internal_ip_address: own.fixed_ips[0]?.ip_address, external_port: 10 };
  expect(refusal(taken)).toMatchObject({ status: 409, type: 'PortHasBindingFloatingIP' });
  expect(fault(() => rig.make('floatingips/none/port_forwardings', rule)).type).toBe('FloatingIPNotFound');
  expect(fault(() => rig.ask('GET', `${path}/none`))).toEqual({
    status: 404,
    type: 'PortForwardingNotFound',
    message: 'Port Forwarding none could not be found.',
  });
});

test('rules go with the address that they lead to', () => {
  const { rig, path, rule, server, floatingIp, subnet } = forwarded();
  rig.make(path, rule);
  const fixed_ips = [{ subnet_id: subnet.id, ip_address: '10.1.0.222' }];
  const moved = rig.requests.system((context) => changePort(context, server, { fixed_ips }));
  expect([rig.store.portForwardings.size, rig.store.floatingIps.get(floatingIp)?.router_id]).toEqual([0, null]);
  rig.make(path, { ...rule, internal_ip_address: '10.1.0.222' });
  rig.requests.system((context) => dropPort(context, moved));
  expect([rig.store.portForwardings.size, rig.store.floatingIps.get(floatingIp)?.router_id]).toEqual([0, null]);
});
