import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud } from '../testing/cloud.ts';

/** What the lab's Neutron (Zed) said to the same requests about networks, subnets, ports and security groups. */

let cloud: TestCloud;
let network: string;
let subnet: string;
let group: string;
beforeAll(async () => {
  cloud = await TestCloud.start();
  network = (await cloud.make('networks', 'network', {})).id;
  const given = { network_id: network, ip_version: 4, cidr: '10.55.0.0/24', enable_dhcp: false };
  subnet = (await cloud.make('subnets', 'subnet', given)).id;
  const taken = { network_id: network, mac_address: 'fa:16:3e:00:55:01', fixed_ips: [{ ip_address: '10.55.0.9' }] };
  await cloud.make('ports', 'port', taken);
  group = (await cloud.make('security-groups', 'security_group', { name: 'g' })).id;
});
afterAll(() => cloud.stop());

const missing = '023136aa-11ab-4c28-802d-74e39c81e8b7';
type Row = readonly [given: object, status: number, type: string, message: string];
const invalid = (given: object, message: string): Row => [
  given,
  400,
  'InvalidInput',
  `Invalid input for operation: ${message}`,
];
const malformed = (given: object, message: string): Row => [given, 400, 'HTTPBadRequest', message];

async function check(path: string, body: object, [, status, type, message]: Row): Promise<void> {
  const reply = await cloud.ask('POST', path, body);
  const words = message.replace('NETWORK', network).replace('SUBNET', subnet);
  expect([reply.status, reply.body.NeutronError]).toEqual([status, { type, message: words, detail: '' }]);
}

const v4 = (rest: object) => ({ ip_version: 4, cidr: '10.59.0.0/24', enable_dhcp: false, ...rest });
const v6 = (rest: object) => ({ ip_version: 6, cidr: 'fd59::/64', ...rest });
const pool = (start: string, end: string) => ({ start, end });

describe('subnets', () => {
  test.each<Row>([
    invalid(
      v4({ cidr: '10.55.0.0/25' }),
      'Requested subnet with cidr: 10.55.0.0/25 for network: NETWORK overlaps with another subnet.',
    ),
    invalid(v4({ ip_version: 6, cidr: '10.56.0.0/24' }), "cidr '10.56.0.0/24' does not match the ip_version '6'."),
    invalid(v4({ gateway_ip: '10.59.0.0' }), 'Gateway is not valid on subnet.'),
    invalid(v4({ cidr: '0.0.0.0/0' }), '0 is not allowed as CIDR prefix length.'),
    invalid(
      v4({ cidr: '10.59.0.0', enable_dhcp: true }),
      'Subnet has a prefix length that is incompatible with DHCP service enabled.',
    ),
    invalid(
      v4({ host_routes: [{ destination: 'fd00::/64', nexthop: 'fd00::1' }] }),
      "nexthop 'fd00::1' does not match the ip_version '4'.",
    ),
    invalid(v4({ ipv6_ra_mode: 'slaac' }), 'ipv6_ra_mode is not valid when ip_version is 4.'),
    invalid(
      v6({ ipv6_ra_mode: 'slaac', enable_dhcp: false }),
      'ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False.',
    ),
    [
      v4({ allocation_pools: [pool('10.59.0.9', '10.59.0.5')] }),
      400,
      'InvalidAllocationPool',
      "The allocation pool {'start': '10.59.0.9', 'end': '10.59.0.5'} is not valid.",
    ],
    [
      v4({ allocation_pools: [pool('fd00::1', 'fd00::5')] }),
      400,
      'InvalidAllocationPool',
      'The allocation pool fd00::1-fd00::5 is not valid.',
    ],
    [
      v4({ allocation_pools: [pool('10.60.0.9', '10.60.0.50')] }),
      400,
      'OutOfBoundsAllocationPool',
      'The allocation pool 10.60.0.9-10.60.0.50 spans beyond the subnet cidr 10.59.0.0/24.',
    ],
    [
      v4({ allocation_pools: [pool('10.59.0.1', '10.59.0.5'), pool('10.59.0.4', '10.59.0.9')] }),
      409,
      'OverlappingAllocationPools',
      'Found overlapping allocation pools: 10.59.0.1-10.59.0.5 10.59.0.4-10.59.0.9 for subnet 10.59.0.0/24.',
    ],
    [
      v4({ allocation_pools: [pool('10.59.0.1', '10.59.0.5')] }),
      409,
      'GatewayConflictWithAllocationPools',
      'Gateway ip 10.59.0.1 conflicts with allocation pool 10.59.0.1-10.59.0.5.',
    ],
    [
      v4({ service_types: ['foo'] }),
      400,
      'InvalidSubnetServiceType',
      'Subnet service type foo does not correspond to a valid device owner.',
    ],
    malformed(
      v4({ dns_nameservers: ['x'] }),
      "Invalid input for dns_nameservers. Reason: 'x' is not a valid nameserver. 'x' is not a valid IP address.",
    ),
    malformed(
      v4({ dns_nameservers: ['1.1.1.1', '1.1.1.1'] }),
      "Invalid input for dns_nameservers. Reason: Duplicate nameserver '1.1.1.1'.",
    ),
    malformed(v4({ gateway_ip: 'x' }), "Invalid input for gateway_ip. Reason: 'x' is not a valid IP address."),
    malformed(
      v4({ allocation_pools: 'x' }),
      "Invalid input for allocation_pools. Reason: Invalid data format for IP pool: 'x'.",
    ),
    malformed(v6({ ipv6_ra_mode: 'foo' }), 'Invalid input for ipv6_ra_mode. Reason: foo is not in valid_values.'),
  ])('%j', (...row) => check('subnets', { subnet: { network_id: network, ...row[0] } }, row));

  test.each([
    ['10.61.0.0/30', null, [pool('10.61.0.1', '10.61.0.2')]],
    ['10.62.0.0/24', '10.62.0.254', [pool('10.62.0.1', '10.62.0.253')]],
    ['10.63.0.9/24', undefined, [pool('10.63.0.2', '10.63.0.254')]],
    ['10.64.0.0/24', '10.99.0.1', [pool('10.64.0.1', '10.64.0.254')]],
    ['10.65.0.0/24', '10.65.0.7', [pool('10.65.0.1', '10.65.0.6'), pool('10.65.0.8', '10.65.0.254')]],
    ['fd61::/64', 'fe80::1', [pool('fd61::1', 'fd61::ffff:ffff:ffff:ffff')]],
    ['10.66.0.0/32', undefined, [pool('10.66.0.0', '10.66.0.0')]],
  ])('%s with the gateway %s has the pools %j', async (cidr, gateway_ip, allocation_pools) => {
    const ip_version = cidr.includes(':') ? 6 : 4;
    const given = { network_id: network, ip_version, cidr, enable_dhcp: false, gateway_ip };
    expect(await cloud.make('subnets', 'subnet', given)).toMatchObject({ allocation_pools });
  });
});

const fixed = (...fixed_ips: object[]) => ({ fixed_ips });

describe('ports', () => {
  test.each<Row>([
    [
      fixed({ ip_address: '10.99.0.1' }),
      400,
      'InvalidIpForNetwork',
      'IP address 10.99.0.1 is not a valid IP for any of the subnets on the specified network.',
    ],
    [fixed({ subnet_id: missing }), 404, 'SubnetNotFound', `Subnet ${missing} could not be found.`],
    [
      fixed({ ip_address: '10.55.0.255' }),
      400,
      'InvalidIpForNetwork',
      'IP address 10.55.0.255 is not a valid IP for any of the subnets on the specified network.',
    ],
    [
      fixed({ ip_address: '10.55.0.9' }),
      409,
      'IpAddressAlreadyAllocated',
      'IP address 10.55.0.9 already allocated in subnet SUBNET',
    ],
    invalid(fixed({}), 'IP allocation requires subnet_id or ip_address.'),
    malformed(
      fixed({ ip_address: '10.55.0.8' }, { ip_address: '10.55.0.8' }),
      "Invalid input for fixed_ips. Reason: Duplicate IP address '10.55.0.8'.",
    ),
    malformed({ fixed_ips: 'x' }, "Invalid input for fixed_ips. Reason: Invalid data format for fixed IP: 'x'."),
    malformed({ mac_address: 'x' }, "Invalid input for mac_address. Reason: 'x' is not a valid MAC address."),
    [{ security_groups: [missing] }, 404, 'SecurityGroupNotFound', `Security group ${missing} does not exist`],
    [
      { port_security_enabled: false, allowed_address_pairs: [{ ip_address: '1.2.3.4' }] },
      409,
      'AddressPairAndPortSecurityRequired',
      'Port Security must be enabled in order to have allowed address pairs on a port.',
    ],
    malformed({ allowed_address_pairs: [{ ip_address: 'x' }] }, "'x' is not a valid IP address"),
    [
      { allowed_address_pairs: [{ foo: 'x' }] },
      400,
      'AllowedAddressPairsMissingIP',
      'AllowedAddressPair must contain ip_address',
    ],
    [
      { allowed_address_pairs: [{ ip_address: '1.2.3.4' }, { ip_address: '1.2.3.4' }] },
      400,
      'DuplicateAddressPairInRequest',
      'Request contains duplicate address pair: mac_address None ip_address 1.2.3.4.',
    ],
    invalid({ extra_dhcp_opts: [{ opt_name: 'a' }] }, "No valid key specs matched for: {'opt_name': 'a'}."),
    malformed(
      { 'binding:vnic_type': 'foo' },
      'Invalid input for binding:vnic_type. Reason: foo is not in valid_values.',
    ),
    malformed({ 'binding:profile': 'foo' }, "Invalid input for binding:profile. Reason: 'foo' is not a dictionary."),
  ])('%j', (...row) => check('ports', { port: { network_id: network, ...row[0] } }, row));

  test('a MAC is on a network once, and on another again', async () => {
    const mac_address = 'fa:16:3e:00:55:01';
    const { status } = await cloud.ask('POST', 'ports', { port: { network_id: network, mac_address } });
    expect(status).toBe(409);
    const other = await cloud.make('networks', 'network', {});
    await cloud.make('ports', 'port', { network_id: other.id, mac_address });
  });

  test('DHCP options are merged by name, and null takes one away', async () => {
    const option = (opt_name: string, opt_value: string | null) => ({ opt_name, opt_value });
    const extra_dhcp_opts = [option('a', '1'), option('b', '2')];
    const { id } = await cloud.make('ports', 'port', { network_id: network, extra_dhcp_opts });
    const changed = { extra_dhcp_opts: [option('a', null), option('c', '3')] };
    const { body } = await cloud.ask('PUT', `ports/${id}`, { port: changed });
    expect(body).toMatchObject({
      port: {
        extra_dhcp_opts: [
          { opt_name: 'b', opt_value: '2', ip_version: 4 },
          { opt_name: 'c', opt_value: '3', ip_version: 4 },
        ],
      },
    });
  });
});

describe('what is used stays', () => {
  test('a subnet with ports, a network with ports, a group with ports', async () => {
    const own = await cloud.make('networks', 'network', {});
    const given = { network_id: own.id, ip_version: 4, cidr: '10.0.0.0/24' };
    const used = await cloud.make('subnets', 'subnet', given);
    const port = await cloud.make('ports', 'port', { network_id: own.id, security_groups: [group] });
    const refused = async (path: string) => {
      const { status, body } = await cloud.ask('DELETE', path);
      return [status, body.NeutronError.type, body.NeutronError.message];
    };
    expect(await refused(`subnets/${used.id}`)).toEqual([
      409,
      'SubnetInUse',
      `Unable to complete operation on subnet ${used.id}: One or more ports have an IP allocation from this subnet.`,
    ]);
    expect(await refused(`networks/${own.id}`)).toEqual([
      409,
      'NetworkInUse',
      `Unable to complete operation on network ${own.id}. There are one or more ports still in use on the network, id for these ports is: ${port.id}.`,
    ]);
    expect(await refused(`security-groups/${group}`)).toEqual([
      409,
      'SecurityGroupInUse',
      `Security Group ${group} in use.`,
    ]);
    for (const path of [`ports/${port.id}`, `networks/${own.id}`]) {
      expect((await cloud.ask('DELETE', path)).status).toBe(204);
    }
    expect(cloud.cloud.store.subnets.get(used.id)).toBeUndefined();
  });

  test('ports that the DHCP agent made go with their network', async () => {
    const own = await cloud.make('networks', 'network', {});
    await cloud.make('ports', 'port', { network_id: own.id, device_owner: 'network:dhcp' });
    expect((await cloud.ask('DELETE', `networks/${own.id}`)).status).toBe(204);
    expect(cloud.cloud.store.ports.by('network', own.id)).toEqual([]);
  });
});

test('ports that are there get an address when hosts make their own', async () => {
  const own = await cloud.make('networks', 'network', {});
  const mac_address = 'fa:16:3e:9a:a8:b6';
  const { id } = await cloud.make('ports', 'port', { network_id: own.id, mac_address });
  const modes = { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
  await cloud.make('subnets', 'subnet', { network_id: own.id, ip_version: 6, cidr: 'fd11::/64', ...modes });
  const { body } = await cloud.ask('GET', `ports/${id}`);
  expect(body).toMatchObject({ port: { fixed_ips: [{ ip_address: 'fd11::f816:3eff:fe9a:a8b6' }] } });
});

const rule = (rest: object) => ({ direction: 'ingress', ...rest });
const tcp = (least: number | null, most: number | null) =>
  rule({ protocol: 'tcp', port_range_min: least, port_range_max: most });

describe('rules', () => {
  test.each<Row>([
    [
      tcp(5, 4),
      400,
      'SecurityGroupInvalidPortRange',
      'For TCP/UDP protocols, port_range_min must be <= port_range_max',
    ],
    [tcp(70000, 70001), 400, 'SecurityGroupInvalidPortValue', 'Invalid value for port 70000'],
    [
      rule({ port_range_min: 5, port_range_max: 6 }),
      400,
      'SecurityGroupProtocolRequiredWithPorts',
      'Must also specify protocol if port range is given.',
    ],
    [
      rule({ protocol: 'icmp', port_range_min: 256 }),
      400,
      'SecurityGroupInvalidIcmpValue',
      'Invalid value for ICMP type (port_range_min) 256. It must be 0 to 255.',
    ],
    [
      rule({ protocol: 'icmp', port_range_max: 2 }),
      400,
      'SecurityGroupMissingIcmpType',
      'ICMP code (port-range-max) 2 is provided but ICMP type (port-range-min) is missing.',
    ],
    [rule({ remote_ip_prefix: 'x' }), 400, 'InvalidCIDR', 'Invalid CIDR x given as IP prefix.'],
    [
      rule({ remote_ip_prefix: 'fd00::/64' }),
      400,
      'SecurityGroupRuleParameterConflict',
      'Conflicting value ethertype IPv4 for CIDR fd00::/64',
    ],
    [rule({ remote_group_id: missing }), 404, 'SecurityGroupNotFound', `Security group ${missing} does not exist`],
  ])('%j', (...row) =>
    check('security-group-rules', { security_group_rule: { security_group_id: group, ...row[0] } }, row),
  );

  test('a rule is in its group once', async () => {
    const given = { security_group_rule: { security_group_id: group, ...tcp(22, 22) } };
    expect((await cloud.ask('POST', 'security-group-rules', given)).status).toBe(201);
    const again = await cloud.ask('POST', 'security-group-rules', given);
    expect([again.status, again.body.NeutronError.type]).toEqual([409, 'SecurityGroupRuleExists']);
  });
});

test('a quota ends what it limits, and is forgotten again', async () => {
  const { project_id: project } = (await cloud.make('networks', 'network', {}, 'demo')) as unknown as {
    project_id: string;
  };
  expect((await cloud.ask('PUT', `quotas/${project}`, { quota: { network: 1 } })).body).toMatchObject({
    quota: { network: 1, port: -1 },
  });
  const refused = await cloud.ask('POST', 'networks', { network: {} }, 'demo');
  expect([refused.status, refused.body.NeutronError]).toEqual([
    409,
    { type: 'OverQuota', message: "Quota exceeded for resources: ['network'].", detail: '' },
  ]);
  expect((await cloud.ask('GET', `quotas/${project}/details`)).body).toMatchObject({
    quota: { network: { limit: 1, used: 1, reserved: 0 } },
  });
  expect((await cloud.ask('DELETE', `quotas/${project}`)).status).toBe(204);
  expect((await cloud.ask('DELETE', `quotas/${project}`)).status).toBe(404);
  expect((await cloud.ask('POST', 'networks', { network: {} }, 'demo')).status).toBe(201);
  expect((await cloud.ask('GET', 'quotas/someone', undefined, 'demo')).status).toBe(403);
});
