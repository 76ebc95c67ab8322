import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

const A1 = 'fa:16:3e:00:0a:01';
const A2 = 'fa:16:3e:00:0a:02';
const B1 = 'fa:16:3e:00:0b:01';
const STRANGER = 'fa:16:3e:00:0f:0f';

let world: World;
let appliance: Appliance;

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
const subnetB = subnet('10.2.0.0/24', null, { dhcp_enabled: true, dns_nameservers: ['192.0.2.53'] });

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
const bee = allocation(B1, { '10.2.0.10': true }, { hostname: 'bee' });

let generation = 0;
function apply(allocations = [one], more: Partial<ApplianceConfig> = {}) {
  generation += 1;
  const networks = [
    network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64'], {
      subnets: [subnetA, subnetA6, other],
      allocations,
      on_link_routes: ['10.1.9.0/24'],
      dns_domain: 'a.test.',
    }),
    network('isolated', 'ns-b', ['10.2.0.2/24'], { subnets: [subnetB], allocations: [bee] }),
  ];
  return appliance.apply(config(networks, { generation, metadata: { endpoint: 'unix:/nowhere' }, ...more }));
}

/** What udhcpc was given; undefined when nobody answered. */
async function lease(host: string): Promise<Record<string, string> | undefined> {
  const script = join(world.home.runDir, 'udhcpc.sh');
  await writeFile(script, '#!/bin/sh\n[ "$1" = bound ] && env\nexit 0\n');
  await chmod(script, 0o755);
  const options = ['staticroutes', 'mtu', 'ntpsrv', 'bootfile', 'hostname', 'domain'].flatMap((name) => ['-O', name]);
  const argv = ['udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '3', '-T', '1', ...options, '-s', script];
  const { status, stdout } = await world.exec(host, argv);
  if (status !== 0) return undefined;
  return Object.fromEntries(stdout.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
}

/** What the server answers, as text; empty when there is no such name. */
async function resolve(host: string, name: string, server: string, type = 'A'): Promise<string> {
  const script = `const r = new (require('dns').promises.Resolver)({ timeout: 1000, tries: 2 });
    r.setServers(['${server}']);
    r.resolve('${name}', '${type}').then((a) => console.log(a.join()), () => undefined);`;
  return (await world.exec(host, [process.execPath, '-e', script])).stdout.trim();
}

function dnsmasqPid(): Promise<number | undefined> {
  return world.home.processes().then((all) => all.find(({ argv }) => argv[0] === 'dnsmasq')?.pid);
}

beforeAll(async () => {
  world = await World.create();
  await world.segment('neta', 'qr-a');
  await world.segment('netb', 'ns-b');
  await world.host('a1', 'neta', { mac: A1 });
  await world.host('a2', 'neta', { mac: A2 });
  await world.host('b1', 'netb', { mac: B1 });
  await world.host('x', 'neta', { mac: STRANGER });
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
  await apply();
});

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

describe('DHCPv4', () => {
  it('gives a port its address and the options of its subnet and its own', async () => {
    expect(await lease('a1')).toMatchObject({
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

  it('leads to metadata where there is no router', async () => {
    const got = await lease('b1');
    expect(got).toMatchObject({ ip: '10.2.0.10', dns: '192.0.2.53', staticroutes: '169.254.169.254/32 10.2.0.2' });
    expect(got).not.toHaveProperty('router');
  });

  it('answers no stranger', async () => {
    expect(await lease('x')).toBeUndefined();
  });

  it('serves a new port at once, and a gone one no more, without a restart', async () => {
    const pid = await dnsmasqPid();
    await apply([one, allocation(A2, { '10.1.0.11': true }, { hostname: 'beta' })]);
    expect(await lease('a2')).toMatchObject({ ip: '10.1.0.11', hostname: 'beta' });
    await apply([one]);
    expect(await lease('a2')).toBeUndefined();
    expect(await dnsmasqPid()).toBe(pid);
  });

  it('gives an address to its new owner although the old one has a lease', async () => {
    await apply([one, allocation(A2, { '10.1.0.11': true }, { hostname: 'beta' })]);
    expect(await lease('a2')).toMatchObject({ ip: '10.1.0.11' });
    await apply([one, allocation(STRANGER, { '10.1.0.11': true }, { hostname: 'gamma' })]);
    expect(await lease('x')).toMatchObject({ ip: '10.1.0.11', hostname: 'gamma' });
    expect(await lease('a1')).toMatchObject({ ip: '10.1.0.10' });
    await apply([one]);
  });

  it('serves another subnet of the segment on which it has no address', async () => {
    await apply([one, allocation(A2, { '10.1.9.11': true }, { hostname: 'beta' })]);
    expect(await lease('a2')).toMatchObject({ ip: '10.1.9.11', router: '10.1.9.1' });
    await apply([one]);
  });

  it('follows a port to another address', async () => {
    await apply([allocation(A1, { '10.1.0.20': true }, { hostname: 'alpha' })]);
    expect(await lease('a1')).toMatchObject({ ip: '10.1.0.20' });
    await apply([one]);
    expect(await lease('a1')).toMatchObject({ ip: '10.1.0.10' });
  });
});

describe('DNS', () => {
  beforeAll(async () => {
    await world.ip([`-n ${world.name('a1')} addr add 10.1.0.10/24 dev eth0`]);
  });

  it('knows the names of ports', async () => {
    expect(await resolve('a1', 'alpha.a.test', '10.1.0.1')).toBe('10.1.0.10');
    expect(await resolve('a1', 'host-10-1-0-10.a.test', '10.1.0.1')).toBe('10.1.0.10');
    expect(await resolve('a1', 'alpha.a.test', '10.1.0.1', 'AAAA')).toBe('fd01::10');
    expect(await resolve('a1', '10.0.1.10.in-addr.arpa', '10.1.0.1', 'PTR')).toBe('alpha.a.test');
  });

  it('forgets the names of gone ports, also of those that had a lease', async () => {
    const pid = await dnsmasqPid();
    await apply([one, allocation(A2, { '10.1.0.11': true }, { hostname: 'beta' })]);
    expect(await lease('a2')).toMatchObject({ ip: '10.1.0.11' });
    expect(await until(async () => (await resolve('a1', 'beta.a.test', '10.1.0.1')) === '10.1.0.11', 2_000)).toBe(true);
    await apply([one]);
    expect(await until(async () => (await resolve('a1', 'beta.a.test', '10.1.0.1')) === '', 2_000)).toBe(true);
    expect(await dnsmasqPid()).toBe(pid);
  });

  it('asks the forwarders for the rest', async () => {
    await apply([one], { dns_forwarders: ['10.1.0.10'] });
    const upstream = await world.background('a1', ['socat', '-u', 'UDP4-RECVFROM:53,fork', '-']);
    await world.exec('b1', ['ip', 'addr', 'add', '10.2.0.10/24', 'dev', 'eth0']);
    expect(
      await until(async () => {
        await resolve('b1', 'elsewhere.example', '10.2.0.2');
        return upstream.output().includes('elsewhere');
      }, 10_000),
    ).toBe(true);
    expect(upstream.output()).not.toContain('alpha');
  });
});

describe('DHCPv6', () => {
  it('gives a port its address', async () => {
    // Until the link-local address of the client is usable it gives up at once.
    await until(async () => {
      const { stdout } = await world.exec('a1', ['ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'link']);
      return stdout.includes('fe80') && !stdout.includes('tentative');
    }, 5_000);
    const files = ['-lf', join(world.home.runDir, 'dhclient6'), '-pf', '/dev/null'];
    const argv = ['dhclient', '-6', '-1', '-d', '-D', 'LL', '-sf', '/bin/true', ...files, 'eth0'];
    const client = await world.background('a1', argv);
    expect(await until(() => client.output().includes('IAADDR fd01::10'), 15_000)).toBe(true);
    client.kill();
  });
});

describe('supervision', () => {
  it('starts a killed dnsmasq again within a second', async () => {
    const pid = await dnsmasqPid();
    process.kill(pid ?? -1, 'SIGKILL');
    expect(
      await until(async () => {
        const now = await dnsmasqPid();
        return now !== undefined && now !== pid;
      }, 2_000),
    ).toBe(true);
    expect(await lease('a1')).toMatchObject({ ip: '10.1.0.10' });
  });

  it('is left alone by the next agent, and stopped when nothing needs it', async () => {
    const pid = await dnsmasqPid();
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await dnsmasqPid()).toBe(pid);
    expect((await appliance.status()).find(({ name }) => name === 'dhcp')).toEqual({
      name: 'dhcp',
      wanted: true,
      running: true,
    });
    await appliance.apply(config([network('internal', 'qr-a', ['10.1.0.1/24'])], { generation: 1000 }));
    expect(await dnsmasqPid()).toBeUndefined();
  });
});
