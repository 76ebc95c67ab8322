import { expect, test } from 'vitest';
import { dropPort, makePort } from '../network/ports.ts';
import { fault, first, Rig } from '../testing/rig.ts';

test('a floating IP is shown as Neutron shows it', () => {
  const rig = new Rig();
  const { external, server, router } = rig.routed();
  const made = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  expect(made).toEqual({
    id: made.id,
    tenant_id: 'admin',
    project_id: 'admin',
    floating_ip_address: expect.stringMatching(/^203\.0\.113\./),
    floating_network_id: external.id,
    router_id: router.id,
    port_id: server.id,
    fixed_ip_address: server.fixed_ips[0]?.ip_address,
    status: 'DOWN',
    description: '',
    port_details: {
      name: '',
      network_id: server.network_id,
      mac_address: server.mac_address,
      admin_state_up: true,
      status: 'DOWN',
      device_id: server.device_id,
      device_owner: 'compute:nova',
    },
    port_forwardings: [],
    tags: [],
    created_at: expect.any(String),
    updated_at: expect.any(String),
    revision_number: 0,
  });
  const [port] = rig.store.ports.by('device', made.id);
  expect(port).toMatchObject({
    device_owner: 'network:floatingip',
    project_id: '',
    status: 'N/A',
    fixed_ips: [{ ip_address: made.floating_ip_address }],
  });
});

test('it comes, leads here and there, and goes', () => {
  const rig = new Rig();
  const { external, server, router, inside } = rig.routed();
  const other = rig.port(inside.id, {});
  const { id } = rig.make('floatingips', { floating_network_id: external.id, floating_ip_address: '203.0.113.50' });
  const update = (given: object) => rig.ask('PUT', `floatingips/${id}`, { floatingip: given }).floatingip;
  const nowhere = { port_id: null, fixed_ip_address: null, router_id: null, port_details: null };
  expect(rig.ask('GET', `floatingips/${id}`).floatingip).toMatchObject(nowhere);
  expect(update({ port_id: server.id })).toMatchObject({ port_id: server.id, router_id: router.id });
  expect(update({ description: 'd' })).toMatchObject({ port_id: server.id, router_id: router.id, description: 'd' });
  expect(update({ port_id: other.id })).toMatchObject({ fixed_ip_address: other.fixed_ips[0]?.ip_address });
  expect(update({ port_id: null })).toMatchObject(nowhere);
  rig.ask('DELETE', `floatingips/${id}`);
  expect(rig.store.ports.by('device', id)).toEqual([]);
  expect(rig.store.floatingIps.size).toBe(0);
});

test('it leads nowhere when its port goes, whoever takes the port away', () => {
  const rig = new Rig();
  const { external, server, router } = rig.routed();
  const { id } = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  rig.requests.system((context) => dropPort(context, server));
  const nowhere = { port_id: null, fixed_ip_address: null, router_id: null, last_known_router_id: router.id };
  expect(rig.store.floatingIps.get(id)).toMatchObject(nowhere);
});

test('of several routers that of the gateway address leads out', () => {
  const rig = new Rig();
  const external = rig.external();
  const inside = rig.network(['10.1.0.0/24']);
  const { id: subnet_id } = first(inside.subnets);
  const router = () => rig.make('routers', { external_gateway_info: { network_id: external.id } }).id;
  const [side, main] = [router(), router()];
  const port = rig.port(inside.id, { fixed_ips: [{ subnet_id, ip_address: '10.1.0.99' }] });
  rig.ask('PUT', `routers/${side}/add_router_interface`, { port_id: port.id });
  const server = rig.port(inside.id);
  const { id } = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  expect(rig.store.floatingIps.get(id)?.router_id).toBe(side);
  rig.ask('PUT', `routers/${main}/add_router_interface`, { subnet_id });
  const later = rig.make('floatingips', { floating_network_id: external.id, port_id: rig.port(inside.id).id });
  expect(later.router_id).toBe(main);
});

test('floating IPs that cannot be are refused, and no address is lost', () => {
  const rig = new Rig();
  const { external, server, inside, subnet } = rig.routed();
  const before = rig.store.ports.size;
  const refusal = (given: object) =>
    fault(() => rig.make('floatingips', { floating_network_id: external.id, ...given }));
  const said = (message: string) => ({
    status: 400,
    type: 'BadRequest',
    message: `Bad floatingip request: ${message}.`,
  });
  expect(refusal({ floating_network_id: inside.id })).toEqual(
    said(`Network ${inside.id} is not a valid external network`),
  );
  const { id: empty } = rig.external([]);
  expect(refusal({ floating_network_id: empty })).toEqual(said(`Network ${empty} does not contain any IPv4 subnet`));
  expect(refusal({ fixed_ip_address: '10.1.0.9' })).toEqual(
    said('fixed_ip_address cannot be specified without a port_id'),
  );
  expect(refusal({ port_id: server.id, fixed_ip_address: '10.1.0.254' })).toEqual(
    said(`Port ${server.id} does not have fixed ip 10.1.0.254`),
  );
  expect(refusal({ port_id: server.id, fixed_ip_address: 'fd00::1' })).toEqual(
    said('Cannot process floating IP association with fd00::1, since that is not an IPv4 address'),
  );
  expect(refusal({ floating_ip_address: '10.1.0.5' })).toMatchObject({ status: 400, type: 'InvalidIpForNetwork' });
  expect(refusal({ floating_network_id: 'nope' }).message).toBe(
    "Invalid input for floating_network_id. Reason: 'nope' is not a valid UUID.",
  );
  const lonely = rig.network(['10.2.0.0/24']);
  const there = rig.port(lonely.id);
  expect(refusal({ port_id: there.id })).toEqual({
    status: 404,
    type: 'ExternalGatewayForFloatingIPNotFound',
    message: `External network ${external.id} is not reachable from subnet ${first(lonely.subnets).id}.  Therefore, cannot associate Port ${there.id} with a Floating IP.`,
  });
  const double = rig.port(inside.id, { fixed_ips: [{ subnet_id: subnet.id }, { subnet_id: subnet.id }] });
  expect(refusal({ port_id: double.id }).message).toMatch(/has multiple fixed IPv4 addresses\. {2}Must provide/);
  expect(rig.store.ports.size).toBe(before + 2);
  expect(rig.store.floatingIps.size).toBe(0);
});

test('a fixed address has one floating IP of a network', () => {
  const rig = new Rig();
  const { external, server } = rig.routed();
  const given = { floating_network_id: external.id, port_id: server.id };
  rig.make('floatingips', given);
  expect(fault(() => rig.make('floatingips', given))).toMatchObject({
    status: 409,
    type: 'FloatingIPPortAlreadyAssociated',
    message: expect.stringContaining(
      `with port ${server.id} using fixed IP ${server.fixed_ips[0]?.ip_address}, as that fixed IP already has a floating IP on external network ${external.id}.`,
    ),
  });
});

test('when addresses are out, no more are made', () => {
  const rig = new Rig();
  const external = rig.external(['203.0.113.0/29']);
  const make = () => rig.make('floatingips', { floating_network_id: external.id });
  for (let each = 0; each < 5; each += 1) make();
  expect(fault(make)).toMatchObject({ status: 409, type: 'IpAddressGenerationFailure' });
});

test('with the network go floating IPs that lead nowhere', () => {
  const rig = new Rig();
  const external = rig.external();
  rig.make('floatingips', { floating_network_id: external.id });
  const { id } = rig.make('routers', { external_gateway_info: { network_id: external.id } });
  const closed = () => rig.ask('PUT', `networks/${external.id}`, { network: { 'router:external': false } });
  expect(fault(closed)).toMatchObject({ status: 409, type: 'ExternalNetworkInUse' });
  expect(fault(() => rig.ask('DELETE', `networks/${external.id}`))).toMatchObject({ status: 409 });
  expect(rig.store.floatingIps.size).toBe(1);
  rig.ask('DELETE', `routers/${id}`);
  rig.ask('DELETE', `networks/${external.id}`);
  expect([rig.store.floatingIps.size, rig.store.ports.size, rig.store.networks.size]).toEqual([0, 0, 0]);
});

test('ports of a DHCP server get none', () => {
  const rig = new Rig();
  const { external, inside } = rig.routed();
  const port = rig.requests.system((context) =>
    makePort(context, { network_id: inside.id, project_id: 'admin', device_owner: 'network:dhcp' }),
  );
  const make = () => rig.make('floatingips', { floating_network_id: external.id, port_id: port.id });
  expect(fault(make)).toMatchObject({ status: 400, type: 'BadRequest' });
});
