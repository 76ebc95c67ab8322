import { expect, test } from 'vitest';
import { callerOf, fault, first, Rig } from '../testing/rig.ts';

const zero = '00000000-0000-4000-8000-000000000000';

test('an interface takes the gateway address of its subnet and is told', () => {
  const rig = new Rig();
  const { id: router, revision_number: revision } = rig.make('routers');
  const network = rig.network(['10.0.0.0/24']);
  const { id: subnet } = first(network.subnets);
  const info = rig.ask('PUT', `routers/${router}/add_router_interface`, { subnet_id: subnet });
  const [port] = rig.store.ports.by('device', router);
  expect(info).toEqual({
    id: router,
    tenant_id: 'admin',
    port_id: port?.id,
    network_id: network.id,
    subnet_id: subnet,
    subnet_ids: [subnet],
  });
  expect(port).toMatchObject({
    device_owner: 'network:router_interface',
    fixed_ips: [{ subnet_id: subnet, ip_address: '10.0.0.1' }],
  });
  expect(rig.told.at(-1)).toEqual({ eventType: 'router.interface.create', payload: { router_interface: info } });
  expect(rig.store.routers.get(router)?.revision_number).toBeGreaterThan(Number(revision));
  expect(rig.ask('PUT', `routers/${router}/remove_router_interface`, { subnet_id: subnet })).toEqual(info);
  expect(rig.told.at(-1)).toEqual({ eventType: 'router.interface.delete', payload: { router_interface: info } });
  expect(rig.store.ports.size).toBe(0);
});

test('all IPv6 prefixes of a network are on one port', () => {
  const rig = new Rig();
  const { id: router } = rig.make('routers');
  const network = rig.network(['10.0.0.0/24', 'fd00:1::/64', 'fd00:2::/64']);
  const [v4, one, two] = network.subnets.map((subnet) => subnet.id);
  const add = (subnet_id: string | undefined) =>
    rig.ask('PUT', `routers/${router}/add_router_interface`, { subnet_id });
  const remove = (given: object) => rig.ask('PUT', `routers/${router}/remove_router_interface`, { ...given });
  const ports = [add(v4), add(one), add(two)].map((info) => info.port_id);
  expect(ports[1]).toBe(ports[2]);
  expect(ports[0]).not.toBe(ports[1]);
  expect(fault(() => remove({ port_id: ports[1], subnet_id: v4 }))).toMatchObject({ type: 'SubnetMismatchForPort' });
  remove({ subnet_id: one });
  expect(rig.store.ports.get(String(ports[1]))?.fixed_ips.map((ip) => ip.subnet_id)).toEqual([two]);
  expect(remove({ port_id: ports[1] })).toMatchObject({ subnet_ids: [two] });
  expect(rig.store.ports.by('device', router)).toHaveLength(1);
});

test('a port becomes an interface', () => {
  const rig = new Rig();
  const { id: router } = rig.make('routers');
  const network = rig.network(['10.0.0.0/24', '10.0.1.0/24']);
  const [one, two] = network.subnets.map((subnet) => ({ subnet_id: subnet.id }));
  const add = (port_id: string) => rig.ask('PUT', `routers/${router}/add_router_interface`, { port_id });
  const refusal = (port_id: string) => fault(() => add(port_id));
  const port = rig.port(network.id, { fixed_ips: [{ ...one, ip_address: '10.0.0.9' }] });
  expect(add(port.id)).toMatchObject({ port_id: port.id, subnet_id: one?.subnet_id });
  expect(rig.store.ports.get(port.id)).toMatchObject({ device_id: router, device_owner: 'network:router_interface' });
  expect(refusal(port.id)).toEqual({
    status: 409,
    type: 'PortInUse',
    message: `Unable to complete operation on port ${port.id} for network ${network.id}. Port already has an attached device ${router}.`,
  });
  expect(refusal(rig.port(network.id, { fixed_ips: [] }).id).message).toBe(
    'Bad router request: Router port must have at least one fixed IP.',
  );
  const both = rig.port(rig.network(['10.5.0.0/24', '10.6.0.0/24']).id, {});
  expect(add(both.id)).toMatchObject({ port_id: both.id });
  const again = rig.port(network.id, { fixed_ips: [one ?? {}] });
  expect(refusal(again.id).message).toBe(`Bad router request: Router already has a port on subnet ${one?.subnet_id}.`);
  expect(rig.store.ports.get(again.id)?.device_id).toBe('');
  expect(two).toBeDefined();
});

test('a port with two IPv4 subnets does not become an interface', () => {
  const rig = new Rig();
  const { id: router } = rig.make('routers');
  const network = rig.network(['10.0.0.0/24', '10.0.1.0/24']);
  const port = rig.port(network.id, { fixed_ips: network.subnets.map((subnet) => ({ subnet_id: subnet.id })) });
  const add = () => rig.ask('PUT', `routers/${router}/add_router_interface`, { port_id: port.id });
  expect(fault(add).message).toBe('Bad router request: Cannot have multiple IPv4 subnets on router port.');
});

test('what cannot be an interface is refused in the words of Neutron', () => {
  const rig = new Rig();
  const { router, subnet, external, server } = rig.routed();
  const path = `routers/${router.id}`;
  const add = (body: object) => fault(() => rig.ask('PUT', `${path}/add_router_interface`, { ...body }));
  const remove = (body: object) => fault(() => rig.ask('PUT', `${path}/remove_router_interface`, { ...body }));
  const said = (message: string) => ({ status: 400, type: 'BadRequest', message: `Bad router request: ${message}.` });
  expect(add({})).toEqual(said('Either subnet_id or port_id must be specified'));
  expect(add({ subnet_id: 'x' })).toEqual(said("'x' is not a valid UUID"));
  expect(add({ subnet_id: zero, port_id: zero })).toEqual(said('Cannot specify both subnet-id and port-id'));
  expect(add({ subnet_id: zero })).toMatchObject({ status: 404, type: 'SubnetNotFound' });
  expect(add({ port_id: zero })).toMatchObject({ status: 404, type: 'PortNotFound' });
  expect(add({ subnet_id: subnet.id })).toEqual(said(`Router already has a port on subnet ${subnet.id}`));
  const wider = first(rig.network(['10.0.0.0/8']).subnets);
  expect(add({ subnet_id: wider.id })).toEqual(
    said(`Cidr 10.0.0.0/8 of subnet ${wider.id} overlaps with cidr 10.1.0.0/24 of subnet ${subnet.id}`),
  );
  const { id: network } = rig.make('networks');
  const bare = rig.make('subnets', { network_id: network, cidr: '10.9.0.0/24', ip_version: 4, gateway_ip: null });
  expect(add({ subnet_id: bare.id })).toEqual(said('Subnet for router interface must have a gateway IP'));
  expect(remove({ subnet_id: bare.id })).toEqual({
    status: 404,
    type: 'RouterInterfaceNotFoundForSubnet',
    message: `Router ${router.id} has no interface on subnet ${bare.id}`,
  });
  expect(remove({ port_id: server.id })).toMatchObject({ status: 404, type: 'RouterInterfaceNotFound' });
  rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  expect(remove({ subnet_id: subnet.id })).toMatchObject({ status: 409, type: 'RouterInterfaceInUseByFloatingIP' });
});

test("a tenant does not route another's subnet", () => {
  const rig = new Rig();
  const shared = first(rig.network(['10.0.0.0/24'], { shared: true }).subnets);
  const hidden = first(rig.network(['10.1.0.0/24']).subnets);
  rig.as(callerOf('tenant'), () => {
    const { id } = rig.make('routers');
    const add = (subnet_id: string) => fault(() => rig.ask('PUT', `routers/${id}/add_router_interface`, { subnet_id }));
    expect(add(shared.id).message).toBe(
      `Bad router request: Cannot add interface to router because subnet ${shared.id} is not owned by project making the request.`,
    );
    expect(add(hidden.id).type).toBe('SubnetNotFound');
  });
});
