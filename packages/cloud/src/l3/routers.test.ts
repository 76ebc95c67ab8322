import { expect, test } from 'vitest';
import { callerOf, fault, first, Rig } from '../testing/rig.ts';

test('a router is shown as Neutron shows it', () => {
  const rig = new Rig();
  const external = rig.external();
  const router = rig.make('routers', { name: 'r1', external_gateway_info: { network_id: external.id } });
  const [gateway] = rig.store.ports.by('device', router.id);
  expect(router).toEqual({
    id: router.id,
    name: 'r1',
    tenant_id: 'admin',
    project_id: 'admin',
    admin_state_up: true,
    status: 'ACTIVE',
    external_gateway_info: {
      network_id: external.id,
      external_fixed_ips: gateway?.fixed_ips,
      enable_snat: true,
    },
    description: '',
    availability_zones: [],
    distributed: false,
    ha: false,
    availability_zone_hints: [],
    routes: [],
    flavor_id: null,
    tags: [],
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    updated_at: expect.any(String),
    revision_number: expect.any(Number),
  });
  expect(gateway).toMatchObject({ device_owner: 'network:router_gateway', project_id: '', network_id: external.id });
  expect(rig.as(callerOf('admin'), () => rig.ask('GET', `routers/${router.id}`))).not.toHaveProperty('router.ha');
});

test('a gateway comes, changes and goes', () => {
  const rig = new Rig();
  const external = rig.external();
  const other = rig.external(['198.51.100.0/24']);
  const { id } = rig.make('routers');
  const set = (info: unknown) => rig.ask('PUT', `routers/${id}`, { router: { external_gateway_info: info } });
  const subnet = first(external.subnets).id;
  const gateway = () => first(rig.store.ports.by('device', id));
  const address = [{ subnet_id: subnet, ip_address: '203.0.113.77' }];
  expect(set({ network_id: external.id, external_fixed_ips: address, enable_snat: false })).toMatchObject({
    router: { external_gateway_info: { external_fixed_ips: address, enable_snat: false } },
  });
  const port = gateway().id;
  set({ network_id: external.id, external_fixed_ips: [{ subnet_id: subnet }] });
  expect(gateway()).toMatchObject({ id: port, fixed_ips: address });
  set({ network_id: external.id, external_fixed_ips: [{ ip_address: '203.0.113.78' }] });
  expect(gateway()).toMatchObject({ id: port, fixed_ips: [{ ip_address: '203.0.113.78' }] });
  set({ network_id: other.id });
  expect(rig.store.ports.get(port)).toBeUndefined();
  expect(gateway()).toMatchObject({ network_id: other.id });
  expect(set({})).toMatchObject({ router: { external_gateway_info: null } });
  expect(rig.store.ports.size).toBe(0);
});

test('gateways that cannot be are refused, and nothing is left of them', () => {
  const rig = new Rig();
  const external = rig.external();
  const inside = rig.network(['10.0.0.0/24']);
  const overlapping = rig.external(['10.0.0.0/16']);
  const { id } = rig.make('routers');
  rig.ask('PUT', `routers/${id}/add_router_interface`, { subnet_id: first(inside.subnets).id });
  const ports = rig.store.ports.size;
  const refusal = (info: unknown) =>
    fault(() => rig.ask('PUT', `routers/${id}`, { router: { external_gateway_info: info } }));
  expect(refusal({ network_id: inside.id })).toEqual({
    status: 400,
    type: 'BadRequest',
    message: `Bad router request: Network ${inside.id} is not an external network.`,
  });
  expect(refusal({ network_id: overlapping.id }).message).toMatch(
    /^Bad router request: Cidr 10\.0\.0\.0\/16 of subnet .* overlaps with cidr 10\.0\.0\.0\/24 of subnet .*\.$/,
  );
  expect(refusal({ network_id: external.id, external_fixed_ips: [{ ip_address: '203.0.113.1' }] }).message).toBe(
    'Bad router request: External IP 203.0.113.1 is the same as the gateway IP.',
  );
  expect(refusal({ network_id: external.id, external_fixed_ips: [{ ip_address: '192.0.2.1' }] }).type).toBe(
    'InvalidIpForNetwork',
  );
  expect(refusal({ network_id: 'x' })).toMatchObject({
    type: 'HTTPBadRequest',
    message: "Invalid input for external_gateway_info. Reason: 'x' is not a valid UUID.",
  });
  expect(refusal({ foo: 1 }).message).toBe(
    "Invalid input for external_gateway_info. Reason: Validation of dictionary's keys failed. Expected keys: {'network_id'} Provided keys: {'foo'}.",
  );
  const tenants = rig.as(callerOf('admin'), () => refusal({ network_id: external.id, enable_snat: false }));
  expect(tenants).toMatchObject({ status: 403, type: 'PolicyNotAuthorized' });
  expect(rig.store.ports.size).toBe(ports);
  expect(fault(() => rig.make('routers', { external_gateway_info: { network_id: inside.id } })).status).toBe(400);
  expect(rig.store.routers.size).toBe(1);
});

test('routers of kinds that this cloud does not have are refused', () => {
  const rig = new Rig();
  for (const kind of ['ha', 'distributed']) {
    expect(fault(() => rig.make('routers', { [kind]: true }))).toMatchObject({ status: 400, type: 'InvalidInput' });
    expect(rig.make('routers', { [kind]: false })).toMatchObject({ [kind]: false });
  }
  expect(fault(() => rig.make('routers', { availability_zone_hints: ['z'] }))).toMatchObject({
    status: 404,
    type: 'AvailabilityZoneNotFound',
  });
});

test('extra routes lead over what is connected', () => {
  const rig = new Rig();
  const { router, subnet } = rig.routed();
  const path = `routers/${router.id}`;
  const routesOf = () => rig.store.routers.get(router.id)?.routes;
  const one = { destination: '172.16.0.0/16', nexthop: '10.1.0.77' };
  const two = { destination: '172.17.0.0/16', nexthop: '10.1.0.77' };
  rig.ask('PUT', path, { router: { routes: [one] } });
  expect(rig.ask('PUT', `${path}/add_extraroutes`, { router: { routes: [two, one] } })).toMatchObject({
    router: { routes: [one, two] },
  });
  rig.ask('PUT', `${path}/remove_extraroutes`, { router: { routes: [one, { ...one, nexthop: '10.1.0.9' }] } });
  expect(routesOf()).toEqual([two]);
  const refusal = (routes: unknown) => fault(() => rig.ask('PUT', path, { router: { routes } }));
  expect(refusal([{ ...one, nexthop: '192.168.9.9' }])).toEqual({
    status: 400,
    type: 'InvalidRoutes',
    message:
      "Invalid format for routes: [{'destination': '172.16.0.0/16', 'nexthop': '192.168.9.9'}], the nexthop is not connected with router",
  });
  expect(refusal([{ ...one, nexthop: '10.1.0.1' }]).message).toMatch(/the nexthop is used by router$/);
  const many = Array.from({ length: 31 }, (_, at) => ({ destination: `172.16.${at}.0/24`, nexthop: '10.1.0.77' }));
  expect(refusal(many)).toMatchObject({ status: 400, type: 'RoutesExhausted' });
  const remove = () => rig.ask('PUT', `${path}/remove_router_interface`, { subnet_id: subnet.id });
  expect(fault(remove)).toMatchObject({ status: 409, type: 'RouterInterfaceInUseByRoute' });
  expect(routesOf()).toEqual([two]);
});

test('a router in use stays', () => {
  const rig = new Rig();
  const { router, interfaceId, subnet, external, server } = rig.routed();
  const floatingIp = rig.make('floatingips', { floating_network_id: external.id, port_id: server.id });
  expect(fault(() => rig.ask('DELETE', `routers/${router.id}`))).toEqual({
    status: 409,
    type: 'RouterInUse',
    message: `Router ${router.id} has ports still attached: ${interfaceId}`,
  });
  const clear = () => rig.ask('PUT', `routers/${router.id}`, { router: { external_gateway_info: null } });
  expect(fault(clear)).toMatchObject({ status: 409, type: 'RouterExternalGatewayInUseByFloatingIp' });
  rig.ask('DELETE', `floatingips/${floatingIp.id}`);
  rig.ask('PUT', `routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
  rig.ask('DELETE', `routers/${router.id}`);
  expect(rig.store.ports.all().map((port) => port.id)).toEqual([server.id]);
  expect(fault(() => rig.ask('GET', `routers/${router.id}`))).toEqual({
    status: 404,
    type: 'RouterNotFound',
    message: `Router ${router.id} could not be found`,
  });
});
