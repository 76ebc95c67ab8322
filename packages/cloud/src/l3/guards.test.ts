import { expect, test } from 'vitest';
import { fault, first, Rig } from '../testing/rig.ts';

test('ports of routers and floating IPs go with them only', () => {
  const rig = new Rig();
  const { router, external, server } = rig.routed();
  const floatingIp = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  for (const port of [...rig.store.ports.by('device', router.id), ...rig.store.ports.by('device', floatingIp.id)]) {
    expect(fault(() => rig.ask('DELETE', `ports/${port.id}`))).toEqual({
      status: 409,
      type: 'ServicePortInUse',
      message: `Port ${port.id} cannot be deleted directly via the port API: has device owner ${port.device_owner}.`,
    });
  }
  rig.ask('DELETE', `ports/${server.id}`);
  expect(rig.ask('GET', `floatingips/${floatingIp.id}`).floatingip).toMatchObject({ port_id: null, router_id: null });
});

test('a subnet keeps its gateway address, and stays, while a router has it', () => {
  const rig = new Rig();
  const { subnet, interfaceId, inside } = rig.routed();
  const move = () => rig.ask('PUT', `subnets/${subnet.id}`, { subnet: { gateway_ip: '10.1.0.254' } });
  expect(fault(move)).toEqual({
    status: 409,
    type: 'GatewayIpInUse',
    message: `Current gateway ip 10.1.0.1 already in use by port ${interfaceId}. Unable to update.`,
  });
  expect(fault(() => rig.ask('DELETE', `subnets/${subnet.id}`))).toMatchObject({ status: 409, type: 'SubnetInUse' });
  expect(fault(() => rig.ask('DELETE', `networks/${inside.id}`))).toMatchObject({ status: 409, type: 'NetworkInUse' });
  const free = first(rig.network(['10.9.0.0/24']).subnets);
  const moved = { gateway_ip: '10.9.0.254', allocation_pools: [{ start: '10.9.0.2', end: '10.9.0.99' }] };
  expect(rig.ask('PUT', `subnets/${free.id}`, { subnet: moved }).subnet).toMatchObject(moved);
});
