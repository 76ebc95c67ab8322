import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCloud } from '../testing/cloud.ts';

/** Whatever a body holds: never a 500, and a request that is refused changes nothing. */

type Kind = 'network' | 'external' | 'subnet' | 'port' | 'group' | 'rule' | 'router' | 'floatingip';
let cloud: TestCloud;
const ids = new Map<Kind, string>();
/** How requests ended, to see that some get through. */
const ended = new Map<string, Set<number>>();

beforeAll(async () => {
  cloud = await TestCloud.start();
  const make = async (kind: Kind, path: string, singular: string, given: object) => {
    ids.set(kind, String((await cloud.make(path, singular, given)).id));
  };
  const v4 = (network: Kind, cidr: string) => ({ network_id: ids.get(network), ip_version: 4, cidr });
  await make('network', 'networks', 'network', { name: 'n', shared: true });
  await make('subnet', 'subnets', 'subnet', v4('network', '10.0.0.0/24'));
  await make('external', 'networks', 'network', { 'router:external': true });
  await cloud.make('subnets', 'subnet', v4('external', '203.0.113.0/24'));
  await make('port', 'ports', 'port', { network_id: ids.get('network') });
  await make('group', 'security-groups', 'security_group', { name: 'g' });
  const rule = { security_group_id: ids.get('group'), direction: 'ingress' };
  await make('rule', 'security-group-rules', 'security_group_rule', rule);
  await make('router', 'routers', 'router', { external_gateway_info: { network_id: ids.get('external') } });
  await cloud.ask('PUT', `routers/${ids.get('router')}/add_router_interface`, { subnet_id: ids.get('subnet') });
  // A project's group default is made by looking, and is no part of a request.
  for (const user of ['admin', 'demo']) await cloud.ask('GET', 'security-groups?fields=id', undefined, user);
  await make('floatingip', 'floatingips', 'floatingip', { floating_network_id: ids.get('external') });
});
afterAll(() => cloud.stop());

const one = <const T extends readonly unknown[]>(...values: T) => fc.constantFrom<T[number]>(...values);
/** The id is known only when the test runs. */
const id = (kind: Kind) => fc.constant(null).map(() => ids.get(kind) ?? '');
const ip = fc.oneof(
  fc.nat({ max: 255 }).map((last) => `10.0.0.${last}`),
  fc.nat({ max: 9 }).map((last) => `fd00::${last}`),
  one('0.0.0.0', '255.255.255.255', '::', '203.0.113.7', '127.0.0.1'),
);
const prefix = fc.oneof(
  fc.tuple(ip, fc.nat({ max: 34 })).map(([address, length]) => `${address}/${length}`),
  fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 })).map(([a, b]) => `${a}.${b}.0.0/24`),
  fc.nat({ max: 65535 }).map((n) => `fd00:${n.toString(16)}::/64`),
);
const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });
const fixedIps = some(fc.record({ subnet_id: id('subnet'), ip_address: ip }, { requiredKeys: [] }));
const routes = some(fc.record({ destination: prefix, nexthop: ip }));
const mode = one('slaac', 'dhcpv6-stateless', 'dhcpv6-stateful', null);
const words = fc.string({ maxLength: 5, unit: 'binary' });
const tcp = one('tcp', 'udp', 'icmp', 'icmpv6', 6, '58', 'ah', null);

/** Plausible values of each attribute, and those without which nothing goes. */
interface Shape {
  readonly singular: string;
  readonly kind: Kind;
  readonly values: Readonly<Record<string, fc.Arbitrary<unknown>>>;
  readonly needed: readonly string[];
  /** Given on create only. */
  readonly fixed?: readonly string[];
}

const shapes: Readonly<Record<string, Shape>> = {
  networks: {
    singular: 'network',
    kind: 'network',
    values: {
      name: words,
      mtu: fc.integer({ min: -1, max: 2000 }),
      shared: fc.boolean(),
      'router:external': fc.boolean(),
      'provider:network_type': one('flat', 'vlan', 'vxlan', 'gre', null),
      'provider:physical_network': one('external', 'other', null),
      'provider:segmentation_id': fc.integer({ min: -1, max: 20 }),
      availability_zone_hints: some(one('nova')),
    },
    needed: [],
    fixed: ['availability_zone_hints'],
  },
  subnets: {
    singular: 'subnet',
    kind: 'subnet',
    values: {
      network_id: id('network'),
      ip_version: one(4, 6, '4'),
      cidr: prefix,
      gateway_ip: fc.option(ip),
      allocation_pools: some(fc.record({ start: ip, end: ip })),
      dns_nameservers: some(ip),
      host_routes: routes,
      enable_dhcp: fc.boolean(),
      ipv6_ra_mode: mode,
      ipv6_address_mode: mode,
      subnetpool_id: one(null),
      service_types: some(one('network:dhcp', 'compute:nova', 'x')),
    },
    needed: ['network_id', 'ip_version', 'cidr'],
    fixed: ['network_id', 'ip_version', 'cidr', 'ipv6_ra_mode', 'ipv6_address_mode', 'subnetpool_id'],
  },
  ports: {
    singular: 'port',
    kind: 'port',
    values: {
      network_id: fc.oneof(id('network'), id('external')),
      mac_address: one(null, 'fa:16:3e:00:00:01', 'FA-16-3E-00-00-02'),
      fixed_ips: fc.option(fixedIps),
      security_groups: fc.option(some(id('group'))),
      allowed_address_pairs: some(fc.record({ ip_address: fc.oneof(ip, prefix) })),
      extra_dhcp_opts: some(fc.record({ opt_name: one('mtu', 'router'), opt_value: one('1', null) })),
      device_owner: one('', 'network:dhcp', 'network:router_interface', 'network:floatingip', 'compute:nova'),
      device_id: fc.oneof(id('router'), words),
      port_security_enabled: fc.boolean(),
      'binding:host_id': one('', 'host1', null),
      'binding:profile': one(null, {}, { a: [1] }),
      'binding:vnic_type': one('normal', 'direct'),
    },
    needed: ['network_id'],
    fixed: ['network_id'],
  },
  'security-groups': {
    singular: 'security_group',
    kind: 'group',
    values: { name: fc.oneof(words, one('default')), stateful: fc.boolean(), description: words },
    needed: [],
  },
  'security-group-rules': {
    singular: 'security_group_rule',
    kind: 'rule',
    values: {
      security_group_id: id('group'),
      direction: one('ingress', 'egress'),
      ethertype: one('IPv4', 'ipv6'),
      protocol: tcp,
      port_range_min: fc.option(fc.integer({ min: -1, max: 70_000 })),
      port_range_max: fc.option(fc.integer({ min: -1, max: 70_000 })),
      remote_ip_prefix: fc.option(fc.oneof(ip, prefix)),
      remote_group_id: fc.option(id('group')),
      description: words,
    },
    needed: ['security_group_id', 'direction'],
    fixed: [
      ...['security_group_id', 'direction', 'ethertype', 'protocol', 'port_range_min', 'port_range_max'],
      ...['remote_ip_prefix', 'remote_group_id'],
    ],
  },
  routers: {
    singular: 'router',
    kind: 'router',
    values: {
      name: words,
      external_gateway_info: fc.option(
        fc.record(
          {
            network_id: fc.oneof(id('external'), id('network')),
            enable_snat: fc.boolean(),
            external_fixed_ips: fixedIps,
          },
          { requiredKeys: ['network_id'] },
        ),
      ),
      routes,
      admin_state_up: fc.boolean(),
      ha: fc.boolean(),
    },
    needed: [],
  },
  floatingips: {
    singular: 'floatingip',
    kind: 'floatingip',
    values: {
      floating_network_id: fc.oneof(id('external'), id('network')),
      port_id: fc.option(id('port')),
      fixed_ip_address: fc.option(ip),
      floating_ip_address: fc.nat({ max: 255 }).map((last) => `203.0.113.${last}`),
      description: words,
    },
    needed: ['floating_network_id'],
    fixed: ['floating_network_id', 'floating_ip_address'],
  },
};

/** What nobody expects, in any place. */
const noise = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  one('__proto__', 'constructor', '\u0000', '💥', 1e99, -0, [null], [[]], [{}], {}, ''),
);

const bodyOf = ({ singular, values, needed, fixed = [] }: Shape, method: string) => {
  const usable = Object.entries(values).filter(([name]) => method === 'POST' || !fixed.includes(name));
  const required = method === 'POST' ? needed : [];
  // Few at a time: many would always be at odds with each other.
  const optional = usable.map(([name]) => name).filter((name) => !required.includes(name));
  const plausible = fc
    .tuple(fc.record(Object.fromEntries(usable)), fc.subarray(optional, { maxLength: Math.min(3, optional.length) }))
    .map(([all, chosen]) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => required.includes(name) || chosen.includes(name))),
    );
  const key = fc.oneof(fc.constantFrom(...Object.keys(values)), fc.string());
  const disturbed = fc
    .tuple(plausible, fc.dictionary(key, noise, { minKeys: 1, maxKeys: 2 }))
    .map(([given, disturbing]) => ({ ...given, ...disturbing }));
  const inside = fc.oneof({ weight: 3, arbitrary: plausible }, { weight: 1, arbitrary: disturbed });
  const single = inside.map((given) => ({ [singular]: given }));
  const bulk = fc.array(inside, { maxLength: 3 }).map((given) => ({ [`${singular}s`]: given }));
  return fc.oneof(
    { weight: 8, arbitrary: single },
    { weight: 1, arbitrary: bulk },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
};

/** Rows are never changed in place: the same row is the same object. */
const state = () => new Map([...cloud.cloud.store.tables()].map(([name, table]) => [name, table.all()]));

/** Rows that are there now and were not, and the other way round. */
const changed = (before: ReturnType<typeof state>) =>
  [...state()].flatMap(([name, rows]) => {
    const [had, has] = [new Set(before.get(name)), new Set(rows)];
    return [...had.symmetricDifference(has)].map((row) => ({ name, row }));
  });

/** Each request from here on, and how many of them. */
function requests(path: string, shape: Shape, method: string) {
  return fc.asyncProperty(bodyOf(shape, method), one('admin', 'admin', 'demo'), async (body, user) => {
    const before = state();
    const target = method === 'POST' ? path : `${path}/${ids.get(shape.kind)}`;
    const reply = await cloud.ask(method, target, body, user);
    const seen = ended.get(`${method} ${path}`) ?? new Set<number>();
    ended.set(`${method} ${path}`, seen.add(reply.status));
    expect(reply.status, JSON.stringify(reply.body)).toBeLessThan(500);
    if (reply.status >= 400) expect(changed(before), JSON.stringify(body)).toEqual([]);
    if (reply.status === 201) expect(changed(before)).not.toEqual([]);
  });
}

test.each(
  Object.entries(shapes).flatMap(([path, shape]) => ['POST', 'PUT'].map((method) => [method, path, shape] as const)),
)('%s %s', async (method, path, shape) => {
  await fc.assert(requests(path, shape, method), { numRuns: 250 });
  // Requests that never get through would show nothing.
  expect([...(ended.get(`${method} ${path}`) ?? [])]).toEqual(
    expect.arrayContaining([method === 'POST' ? 201 : 200, 400]),
  );
});

test('queries', async () => {
  const word = fc.oneof(
    one('limit', 'marker', 'sort_key', 'sort_dir', 'fields', 'tags', 'fixed_ips', 'id', 'name', 'page_reverse'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(
      one(...Object.keys(shapes), 'agents'),
      fc.array(fc.tuple(word, fc.oneof(one('1', 'asc', 'id', 'True', 'ip_address=1'), fc.string()))),
      async (path, pairs) => {
        const { status } = await cloud.ask('GET', `${path}?${new URLSearchParams(pairs)}`);
        expect(status).toBeLessThan(500);
      },
    ),
    { numRuns: 300 },
  );
});

test('bodies that are nested too deep', async () => {
  const deep = '['.repeat(5_000) + ']'.repeat(5_000);
  const port = `{"port":{"network_id":"${ids.get('network')}","binding:profile":{"a":${deep}}}}`;
  const before = state();
  for (const text of [deep, port]) expect((await cloud.ask('POST', 'ports', text)).status).toBe(400);
  expect(changed(before)).toEqual([]);
});
