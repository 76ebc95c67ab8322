import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCloud } from '../testing/client.ts';

/** Whatever a body holds: never a 500, and a request that is refused changes nothing. */

let cloud: TestCloud;
let known: readonly string[] = [];
beforeAll(async () => {
  cloud = await TestCloud.start();
  const network = await cloud.make('networks', 'network', { name: 'n' });
  const subnet = await cloud.make('subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
  const external = await cloud.make('networks', 'network', { 'router:external': true });
  await cloud.make('subnets', 'subnet', { network_id: external.id, ip_version: 4, cidr: '203.0.113.0/24' });
  const port = await cloud.make('ports', 'port', { network_id: network.id });
  const group = await cloud.make('security-groups', 'security_group', { name: 'g' });
  const router = await cloud.make('routers', 'router', {});
  known = [network.id, subnet.id, external.id, port.id, group.id, router.id];
});
afterAll(() => cloud.stop());

const resources: Readonly<Record<string, readonly [singular: string, attributes: readonly string[]]>> = {
  networks: [
    'network',
    ['name', 'mtu', 'shared', 'router:external', 'provider:network_type', 'availability_zone_hints'],
  ],
  subnets: [
    'subnet',
    [
      ...['network_id', 'ip_version', 'cidr', 'gateway_ip', 'allocation_pools', 'dns_nameservers', 'host_routes'],
      ...['enable_dhcp', 'ipv6_ra_mode', 'ipv6_address_mode', 'subnetpool_id', 'service_types'],
    ],
  ],
  ports: [
    'port',
    [
      ...['network_id', 'mac_address', 'fixed_ips', 'security_groups', 'allowed_address_pairs', 'extra_dhcp_opts'],
      ...['device_owner', 'device_id', 'port_security_enabled', 'binding:host_id', 'binding:profile'],
    ],
  ],
  'security-groups': ['security_group', ['name', 'stateful']],
  'security-group-rules': [
    'security_group_rule',
    [
      ...['security_group_id', 'direction', 'ethertype', 'protocol', 'port_range_min', 'port_range_max'],
      ...['remote_ip_prefix', 'remote_group_id', 'remote_address_group_id'],
    ],
  ],
  routers: ['router', ['name', 'external_gateway_info', 'routes', 'admin_state_up', 'ha', 'flavor_id']],
  floatingips: ['floatingip', ['floating_network_id', 'port_id', 'fixed_ip_address', 'subnet_id']],
};

/** Values that are nearly right are worth more than noise. */
const value = () =>
  fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 5 }).map((at) => known[at]) },
    fc.constantFrom<unknown>(
      ...['10.0.0.0/24', '10.1.0.0/29', 'fd00::/64', '10.0.0.5', 'fd00::5', '::', '0.0.0.0/0', '255.255.255.255/32'],
      ...[4, 6, 0, -1, 1e99, 80, true, false, null, '', 'tcp', 'slaac', 'ingress', 'IPv6', 'fa:16:3e:00:00:01'],
      ...[[], {}, [null], [{}], [{ start: '10.0.0.2', end: '10.0.0.9' }], [{ ip_address: '10.0.0.7' }]],
      ...[[{ destination: '10.9.0.0/16', nexthop: '10.0.0.3' }], { network_id: 7 }, ['10.0.0.1'], ['x', 'x']],
      ...['network:dhcp', 'network:router_interface', '__proto__', 'constructor', '\u0000', '💥'],
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );

const body = (attributes: readonly string[]) =>
  fc.dictionary(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...attributes) }, fc.string()), value(), {
    maxKeys: 6,
  });

const state = () => JSON.stringify([...cloud.cloud.store.tables()].map(([, table]) => table.all()));

test.each(Object.entries(resources))('%s', async (path, [singular, attributes]) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('POST', 'PUT'),
      fc.oneof({ weight: 9, arbitrary: body(attributes).map((given) => ({ [singular]: given })) }, fc.jsonValue()),
      fc.constantFrom('admin', 'demo'),
      fc.nat(),
      async (method, given, user, at) => {
        // The caller's group default is made by looking, and is no part of the request.
        await cloud.ask('GET', 'security-groups?fields=id', undefined, user);
        const before = state();
        const target = method === 'POST' ? path : `${path}/${known[at % known.length]}`;
        const reply = await cloud.ask(method, target, given, user);
        expect(reply.status, JSON.stringify(reply.body)).toBeLessThan(500);
        if (reply.status >= 400) expect(state()).toBe(before);
      },
    ),
    { numRuns: 400 },
  );
});

test('queries', async () => {
  const word = fc.oneof(
    fc.constantFrom(
      'limit',
      'marker',
      'sort_key',
      'sort_dir',
      'fields',
      'tags',
      'fixed_ips',
      'id',
      'name',
      'page_reverse',
    ),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(resources), 'agents'),
      fc.array(fc.tuple(word, fc.oneof(fc.constantFrom('1', 'asc', 'id', 'True', 'ip_address=1'), fc.string()))),
      async (path, pairs) => {
        const { status } = await cloud.ask('GET', `${path}?${new URLSearchParams(pairs)}`);
        expect(status).toBeLessThan(500);
      },
    ),
    { numRuns: 300 },
  );
});

test('bodies that are nested too deep', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  for (const text of [deep, `{"port":{"binding:profile":{"a":${deep}}}}`]) {
    expect((await cloud.ask('POST', 'ports', text)).status).toBe(400);
  }
});
