import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { Served } from '../../testing/served.ts';

const A1 = 'fa:16:3e:00:0a:01';
const A2 = 'fa:16:3e:00:0a:02';
const B1 = 'fa:16:3e:00:0b:01';
const STRANGER = 'fa:16:3e:00:0f:0f';

let served: Served;

const subnetA = subnet('10.1.0.0/24', '10.1.0.1', {
  dhcp_enabled: true,
  host_routes: [{ destination: '192.0.2.0/24', nexthop: '10.1.0.77' }],
});
const subnetA6 = subnet('fd01::/64', 'fd01::1', {
  dhcp_enabled: true,
  ipv6_ra_mode: 'dhcpv6-stateful',
  dns_nameservers: ['2001:db8::53'],
});
const other = subnet('10.1.9.0/24', '10.1.9.1', { dhcp_enabled: true });
const other6 = subnet('fd19::/64', 'fd19::1', { dhcp_enabled: true, ipv6_ra_mode: 'dhcpv6-stateful' });
const subnetB = subnet('10.2.0.0/24', null, { dhcp_enabled: true, dns_nameservers: ['192.0.2.53'] });
const subnetB6 = subnet('fd02::/64', 'fd02::2', {
  dhcp_enabled: true,
  ipv6_ra_mode: 'dhcpv6-stateless',
  dns_nameservers: ['2001:db8::5'],
});

const one = allocation(
  A1,
  { '10.1.0.10': true, 'fd01::10': true },
  {
    hostname: 'alpha',
    dhcp_options: [
      { name: 'bootfile-name', value: 'http://boot/#1 "x",y\\', ip_version: 4 },
      { name: 'ntp-server', value: '10.1.0.3,10.1.0.4', ip_version: 4 },
      { name: 'no-such-option', value: 'x', ip_version: 4 },
    ],
  },
);
const beta = allocation(A2, { '10.1.0.11': true }, { hostname: 'beta' });
const bee = allocation(B1, { '10.2.0.10': true, 'fd02::b': true }, { hostname: 'bee' });

function apply(allocations = [one], more: Partial<ApplianceConfig> = {}) {
  const networks = [
    network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64'], {
      subnets: [subnetA, subnetA6, other, other6],
      allocations,
      on_link_routes: ['10.1.9.0/24'],
      dns_domain: 'a.test.',
    }),
    network('isolated', 'ns-b', ['10.2.0.2/24', 'fd02::2/64'], {
      subnets: [subnetB, subnetB6],
      allocations: [bee],
      dns_domain: 'b.test',
    }),
  ];
  return served.apply(config(networks, { metadata: { endpoint: 'unix:/nowhere' }, ...more }));
}

beforeAll(async () => {
  served = await Served.create();
  const { world } = served;
  await world.segment('neta', 'qr-a');
  await world.segment('netb', 'ns-b');
  const router = world.name('r');
  await world.ip([
    ...['qr-a', 'ns-b'].map((ifname) => `-n ${router} link set ${ifname} up`),
    `-n ${router} addr add 10.1.0.1/24 dev qr-a`,
    `-n ${router} addr add fd01::1/64 dev qr-a nodad`,
    `-n ${router} addr add 10.2.0.2/24 dev ns-b`,
    `-n ${router} addr add fd02::2/64 dev ns-b nodad`,
  ]);
  await world.host('a1', 'neta', { mac: A1 });
  await world.host('a2', 'neta', { mac: A2 });
  await world.host('b1', 'netb', { mac: B1 });
  await world.host('x', 'neta', { mac: STRANGER });
  await apply();
});

afterAll(() => served?.destroy());

describe('DHCPv4', () => {
  it('gives a port its address and the options of its subnet and its own', async () => {
    expect(await served.lease('a1')).toMatchObject({
      ip: '10.1.0.10',
      mask: '24',
      router: '10.1.0.1',
      dns: '10.1.0.1',
      mtu: '1450',
      domain: 'a.test',
      hostname: 'alpha',
      lease: '86400',
      ntpsrv: '10.1.0.3 10.1.0.4',
      bootfile: 'http://boot/#1 "x",y\\',
      staticroutes: '192.0.2.0/24 10.1.0.77 10.1.9.0/24 0.0.0.0 0.0.0.0/0 10.1.0.1',
    });
  });

  it('gives dhclient the same', async () => {
    const client = await served.dhclient('a1', '-4');
    await until(() => client.answers().length > 1, 10_000);
    expect(client.answers().at(-1)).toMatchObject({
      reason: 'BOUND',
      new_ip_address: '10.1.0.10',
      new_routers: '10.1.0.1',
      new_domain_name: 'a.test',
      new_host_name: 'alpha',
    });
    client.kill();
  });

  it('leads to metadata where there is no router', async () => {
    const got = await served.lease('b1');
    expect(got).toMatchObject({ ip: '10.2.0.10', dns: '192.0.2.53', staticroutes: '169.254.169.254/32 10.2.0.2' });
    expect(got).not.toHaveProperty('router');
  });

  it('answers no stranger', async () => {
    expect(await served.lease('x')).toBeUndefined();
  });

  it('serves a new port at once, and a gone one no more, without a restart', async () => {
    const pids = [await served.pid('qr-a', 'dns'), await served.pid('qr-a', 'dhcp')];
    await apply([one, beta]);
    expect(await served.lease('a2')).toMatchObject({ ip: '10.1.0.11', hostname: 'beta' });
    await apply([one]);
    expect(await served.lease('a2')).toBeUndefined();
    expect([await served.pid('qr-a', 'dns'), await served.pid('qr-a', 'dhcp')]).toEqual(pids);
  });

  it('gives an address to its new owner although the old one has a lease', async () => {
    await apply([one, beta]);
    expect(await served.lease('a2')).toMatchObject({ ip: '10.1.0.11' });
    await apply([one, allocation(STRANGER, { '10.1.0.11': true }, { hostname: 'gamma' })]);
    expect(await served.lease('x')).toMatchObject({ ip: '10.1.0.11', hostname: 'gamma' });
    expect(await served.lease('a1')).toMatchObject({ ip: '10.1.0.10' });
    await apply([one]);
  });

  it('serves another subnet of the segment on which it has no address', async () => {
    await apply([one, allocation(A2, { '10.1.9.11': true }, { hostname: 'beta' })]);
    expect(await served.lease('a2')).toMatchObject({ ip: '10.1.9.11', router: '10.1.9.1' });
    await apply([one]);
  });

  it('follows a port to another address', async () => {
    await apply([allocation(A1, { '10.1.0.20': true }, { hostname: 'alpha' })]);
    expect(await served.lease('a1')).toMatchObject({ ip: '10.1.0.20' });
    await apply([one]);
    expect(await served.lease('a1')).toMatchObject({ ip: '10.1.0.10' });
  });
});

describe('DHCPv6', () => {
  it('gives a port its address and its settings (stateful)', async () => {
    const client = await served.dhclient('a1', '-6');
    await until(() => client.answers().some(({ reason }) => reason === 'BOUND6'), 15_000);
    expect(client.answers().find(({ reason }) => reason === 'BOUND6')).toMatchObject({
      new_ip6_address: 'fd01::10',
      new_dhcp6_name_servers: '2001:db8::53',
      new_dhcp6_domain_search: 'a.test.',
    });
    client.kill();
  });

  it('serves another subnet of the segment on which it has no address', async () => {
    await apply([one, allocation(A2, { 'fd19::11': true }, { hostname: 'beta' })]);
    const client = await served.dhclient('a2', '-6');
    await until(() => client.answers().some(({ reason }) => reason === 'BOUND6'), 15_000);
    expect(client.answers().find(({ reason }) => reason === 'BOUND6')).toMatchObject({
      new_ip6_address: 'fd19::11',
      new_dhcp6_name_servers: 'fd01::1',
    });
    client.kill();
    await apply([one]);
  });

  it('gives settings alone to who forms its address itself (stateless), and no address', async () => {
    const stateless = await served.dhclient('b1', '-6', ['-S']);
    await until(() => stateless.answers().some(({ new_dhcp6_name_servers: dns }) => dns !== undefined), 15_000);
    expect(stateless.answers().at(-1)).toMatchObject({
      new_dhcp6_name_servers: '2001:db8::5',
      new_dhcp6_domain_search: 'b.test.',
    });
    stateless.kill();
    expect(served.state.get('ns-b')?.dhcp?.lines).toEqual(['fa:16:3e:00:0b:01,10.2.0.10,bee']);
  });

  it('gives settings also where several subnets share the segment', async () => {
    const stateless = await served.dhclient('x', '-6', ['-S']);
    await until(() => stateless.answers().some(({ new_dhcp6_name_servers: dns }) => dns !== undefined), 15_000);
    expect(stateless.answers().at(-1)).toMatchObject({
      new_dhcp6_name_servers: '2001:db8::53',
      new_dhcp6_domain_search: 'a.test.',
    });
    stateless.kill();
  });
});

describe('the self-check', () => {
  it('asks for every subnet of a segment, also where we have no address, and those without stateful addresses', async () => {
    const checks = await served.runner.check(served.state, AbortSignal.timeout(2_000));
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    const subnets = checks.flatMap(({ name }) => /for (\S+) on/.exec(name)?.[1] ?? []);
    expect(subnets.sort()).toEqual([
      '10.1.0.0/24',
      '10.1.9.0/24',
      '10.2.0.0/24',
      'fd01::/64',
      'fd02::/64',
      'fd19::/64',
    ]);
  });
});

describe('leases', () => {
  it('are told with whose they are and when they end', async () => {
    await served.lease('a1');
    const leases = await served.runner.leases();
    const four = leases.find(({ ip_address }) => ip_address === '10.1.0.10');
    expect(four).toMatchObject({ mac_address: A1, hostname: 'alpha', network_id: '0e7-71722d61' });
    const left = Date.parse(four?.expires_at ?? '') - Date.now();
    expect(left / 1000).toBeGreaterThan(86_300);
    expect(left / 1000).toBeLessThan(86_500);
    expect(leases.find(({ ip_address }) => ip_address === 'fd01::10')).toMatchObject({ mac_address: A1 });
  });

  it('of those who are gone are told no more', async () => {
    await apply([one, beta]);
    await served.lease('a2');
    const has = async () => (await served.runner.leases()).some(({ ip_address }) => ip_address === '10.1.0.11');
    expect(await has()).toBe(true);
    await apply([one]);
    expect(await has()).toBe(false);
  });
});
