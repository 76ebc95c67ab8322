import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config2016 } from '@astara/model/appliance/api/v1.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { BgpNeighbor } from '@astara/model/appliance/routing.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { translate } from '../../api/v1/translate.ts';
import { Appliance } from '../../appliance.ts';
import { account } from '../../privileges.ts';
import { until } from '../../processes.ts';
import { BirdPeer } from '../../testing/bird-peer.ts';
import { config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';
import { birdCommand } from './control.ts';
import type { Session } from './sessions.ts';

/**
 * Providers outside (AS 65000), each a BIRD in a namespace, and a machine inside:
 * `a1` 10.0.0.5 - `qr-a` router `qg-x` 198.51.100.2 - `p1` .1, `p2` .3, and `p3` .4, which speaks from 192.0.2.101.
 */
const KEY = "a \\key; with } {everything #' %s /*";
const routes = {
  4: 'route 0.0.0.0/0 blackhole; route 172.20.0.0/16 blackhole; route 172.21.0.0/16 blackhole; route 10.0.0.128/25 blackhole;',
  6: 'route ::/0 blackhole; route 2001:db8:50::/48 blackhole;',
};

let world: World;
let appliance: Appliance;
let p1: BirdPeer;
let p2: BirdPeer;
let p3: BirdPeer;
let generation = 0;

/** A session of a peer with the router. */
function session(name: string, local: string, router: string, more = ''): string {
  const version = local.includes(':') ? 6 : 4;
  const where = local.startsWith('fe80:') ? 'interface "eth0";' : '';
  return `protocol bgp ${name} { local ${local} as 65000; neighbor ${router} as 65001; ${where} connect delay time 1;
    error wait time 1, 2; graceful restart on; ${more} ipv${version} { import all; export all; }; }\n`;
}

function peerConf(...sessions: string[]): string {
  const table = (version: 4 | 6) => `protocol static s${version} { ipv${version}; ${routes[version]} }\n`;
  const timers = 'min rx interval 50 ms; min tx interval 50 ms; multiplier 3;';
  return `${table(4)}${table(6)}protocol bfd { interface "*" { ${timers} }; multihop { ${timers} }; }\n${sessions.join('')}`;
}

const v4: BgpNeighbor = { address: '198.51.100.1', asn: 65_000, bfd: true };
const v6: BgpNeighbor = { address: '2001:db8:e::1', asn: 65_000 };
const second: BgpNeighbor = { address: '198.51.100.3', asn: 65_000, password: KEY, hold_time: 30 };
const inside = subnet('2001:db8:a::/64', '2001:db8:a::1', { ipv6_ra_mode: 'slaac' });

function wanted(neighbors: BgpNeighbor[], more: Partial<ApplianceConfig> = {}, ra = {}): ApplianceConfig {
  generation += 1;
  return config(
    [
      network('external', 'qg-x', ['198.51.100.2/24', '2001:db8:e::2/64', 'fe80::2/64'], {
        subnets: [subnet('198.51.100.0/24', null)],
      }),
      network('internal', 'qr-a', ['10.0.0.1/24', '2001:db8:a::1/64'], {
        subnets: [subnet('10.0.0.0/24', '10.0.0.1'), inside],
        ...ra,
      }),
    ],
    {
      generation,
      floating_ips: [{ floating_ip: '203.0.113.5', fixed_ip: '10.0.0.5' }],
      bgp: { asn: 65_001, neighbors },
      bfd: { min_rx_ms: 50, min_tx_ms: 50, multiplier: 3 },
      ...more,
    },
  );
}

function network2016(
  network_type: 'external' | 'internal',
  ifname: string,
  addresses: string[],
  only: { cidr: string; gateway_ip: string },
): NonNullable<Config2016['networks']>[number] {
  const subnets = [{ ...only, id: `5${ifname.slice(2)}`, dhcp_enabled: false, dns_nameservers: [], host_routes: [] }];
  return {
    network_id: `0${ifname.slice(2)}`,
    name: ifname,
    network_type,
    interface: { ifname, addresses },
    v4_conf_service: 'static',
    v6_conf_service: 'static',
    subnets,
    allocations: [],
  };
}

async function learned(): Promise<string[]> {
  const all = await world.netns.routes();
  return all.filter(({ protocol }) => protocol === 12).map(({ destination, via }) => `${destination} ${via}`);
}

async function sessions(): Promise<readonly Session[]> {
  const status = (await appliance.status()).find(({ name }) => name === 'routing');
  return (status?.detail as { sessions: readonly Session[] } | undefined)?.sessions ?? [];
}

function established(neighbor: string): Promise<boolean> {
  return until(async () => {
    return (await sessions()).some((one) => one.neighbor === neighbor && one.state === 'established');
  }, 10_000);
}

async function birdPid(): Promise<number> {
  return (await world.home.processes()).find(({ argv }) => argv[0] === 'bird')?.pid ?? Number.NaN;
}

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  await world.host('p1', 'ext', { addresses: ['198.51.100.1/24', '2001:db8:e::1/64', 'fe80::1/64'] });
  await world.host('p2', 'ext', { addresses: ['198.51.100.3/24', '2001:db8:e::3/64'] });
  await world.host('a1', 'neta', { addresses: ['10.0.0.5/24'], gateway: '10.0.0.1' });
  await world.host('p3', 'ext', { addresses: ['198.51.100.4/24'] });
  await world.ip([`-n ${world.name('p3')} addr add 192.0.2.101/32 dev lo`]);
  for (const host of ['p1', 'p2']) await world.ip([`-n ${world.name(host)} addr add 192.0.2.100/32 dev lo`]);
  p1 = await BirdPeer.start(
    world,
    'p1',
    '198.51.100.1',
    peerConf(
      session('r4', '198.51.100.1', '198.51.100.2', 'bfd on;'),
      session('r6', '2001:db8:e::1', '2001:db8:e::2'),
      session('ll', 'fe80::1', 'fe80::2'),
    ),
  );
  p2 = await BirdPeer.start(
    world,
    'p2',
    '198.51.100.3',
    peerConf(session('r4', '198.51.100.3', '198.51.100.2', `password "${KEY}";`)),
  );
  p3 = await BirdPeer.start(
    world,
    'p3',
    '198.51.100.4',
    peerConf(session('far', '192.0.2.101', '198.51.100.2', 'multihop 2;')),
  );
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterAll(async () => {
  try {
    await appliance?.close();
    await p1?.stop();
    await p2?.stop();
    await p3?.stop();
  } finally {
    await world?.destroy();
  }
});

describe('BGP', () => {
  it('learns the way out, and nothing else', async () => {
    await appliance.apply(wanted([v4, v6]));
    expect(await established('198.51.100.1')).toBe(true);
    expect(await established('2001:db8:e::1')).toBe(true);
    expect(await until(async () => (await learned()).length === 2, 5_000)).toBe(true);
    expect((await learned()).sort()).toEqual(['0.0.0.0/0 198.51.100.1', '::/0 2001:db8:e::1']);
    expect(await world.eventuallyPings('a1', '192.0.2.100')).toBe(true);
  });

  it('tells where floating IPs and untranslated subnets are', async () => {
    expect(await until(async () => (await p1.route('203.0.113.5')).includes('via 198.51.100.2'), 5_000)).toBe(true);
    expect(await until(async () => (await p1.route('2001:db8:a::/64')).includes('via 2001:db8:e::2'), 5_000)).toBe(
      true,
    );
    expect(await p1.route('10.0.0.0/24')).toBe('');
    expect(await world.eventuallyPings('p1', '203.0.113.5')).toBe(true);
  });

  it('is nothing that anybody has to repair', async () => {
    const [routes, pid] = [await learned(), await birdPid()];
    const since = await p1.establishedSince('r4');
    expect(await appliance.drift()).toEqual([]);
    await appliance.repair();
    expect([await learned(), await birdPid(), await p1.establishedSince('r4')]).toEqual([routes, pid, since]);
  });

  it('says how its sessions are', async () => {
    const told = await sessions();
    const common = { asn: 65_000, state: 'established', prefixes_received: 1, prefixes_exported: 1 };
    expect(told).toMatchObject([
      { ...common, neighbor: '198.51.100.1', bfd: { state: 'up' } },
      { ...common, neighbor: '2001:db8:e::1' },
    ]);
    const since = Date.parse(told[0]?.since ?? '');
    expect(Math.abs(Date.now() - since)).toBeLessThan(60_000);
    const checks = (await appliance.check()).filter(({ service }) => service === 'routing');
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['BIRD answers', true],
      ['BGP neighbour 198.51.100.1 (AS 65000) is established', true],
      ['BGP neighbour 2001:db8:e::1 (AS 65000) is established', true],
    ]);
  });

  it('tells of a neighbour that is away without failing, and fails when this side does not try', async () => {
    await appliance.apply(wanted([v4, v6, { address: '198.51.100.99', asn: 65_009 }]));
    const check = async () => (await appliance.check()).find(({ name }) => name.includes('198.51.100.99'));
    expect(await check()).toMatchObject({ ok: true });
    expect((await sessions()).find(({ neighbor }) => neighbor === '198.51.100.99')?.state).not.toBe('established');
    await birdCommand(join(world.home.runDir, 'routing', 'run', 'bird.ctl'), 'disable bgp4_198_51_100_99');
    expect(await until(async () => (await check())?.ok === false, 2_000)).toBe(true);
    await appliance.apply(wanted([v4, v6]));
    expect(await check()).toBeUndefined();
  });

  it('keeps its sessions when anything else changes', async () => {
    const before = [await p1.establishedSince('r4'), await p1.establishedSince('r6'), await birdPid()];
    expect(before).not.toContain(undefined);
    const more = { floating_ips: [5, 6].map((n) => ({ floating_ip: `203.0.113.${n}`, fixed_ip: `10.0.0.${n}` })) };
    await appliance.apply(wanted([v4, v6], more));
    expect(await until(async () => (await p1.route('203.0.113.6')) !== '', 5_000)).toBe(true);
    await appliance.apply(wanted([v4, v6]));
    expect(await until(async () => (await p1.route('203.0.113.6')) === '', 5_000)).toBe(true);
    await appliance.apply(wanted([v4, v6], {}, { router_advertisement: { preference: 'high', max_interval: 60 } }));
    await appliance.apply(wanted([v4, v6, { address: '198.51.100.99', asn: 65_009 }, second]));
    expect(await established('198.51.100.3')).toBe(true);
    await appliance.apply(wanted([{ ...v4, export: { communities: ['65001:7', '65001:1:4294967295'] } }, v6]));
    const route = async () => (await p1.command('show route 203.0.113.5/32 all')).lines.join('\n');
    expect(await until(async () => (await route()).includes('(65001,7)'), 5_000)).toBe(true);
    expect(await route()).toContain('(65001, 1, 4294967295)');
    expect([await p1.establishedSince('r4'), await p1.establishedSince('r6'), await birdPid()]).toEqual(before);
  });

  it('takes and tells what it is asked to', async () => {
    const policy: BgpNeighbor = {
      ...v4,
      import: { default_route: false, prefixes: ['172.16.0.0/12', '10.0.0.0/8'] },
      export: { floating_ips: false, prefixes: ['10.9.8.7/16', '203.0.113.5/32'] },
    };
    await appliance.apply(wanted([policy, v6]));
    // 10.0.0.128/25 would lead machines inside to the neighbour.
    const expected = ['172.20.0.0/16 198.51.100.1', '172.21.0.0/16 198.51.100.1', '::/0 2001:db8:e::1'];
    expect(await until(async () => (await learned()).sort().join() === expected.join(), 5_000)).toBe(true);
    expect(await until(async () => (await p1.route('10.9.0.0/16')) !== '', 5_000)).toBe(true);
    expect(await p1.route('203.0.113.5')).not.toBe('');
    await appliance.apply(wanted([{ ...v4, export: { floating_ips: false } }, v6]));
    expect(await until(async () => (await p1.route('203.0.113.5')) === '', 5_000)).toBe(true);
  });

  it('ends a session that brings too much', async () => {
    await appliance.apply(wanted([{ ...v4, import: { prefixes: ['172.16.0.0/12'], max_prefixes: 2 } }, v6]));
    const told = async () => (await sessions()).find(({ neighbor }) => neighbor === v4.address);
    expect(await until(async () => /limit/i.test((await told())?.last_error ?? ''), 5_000)).toBe(true);
    await appliance.apply(wanted([v4, v6]));
    expect(await established('198.51.100.1')).toBe(true);
  });

  it('shares traffic between equal neighbours', async () => {
    await appliance.apply(wanted([v4, second]));
    const both = ['0.0.0.0/0 198.51.100.1', '0.0.0.0/0 198.51.100.3'];
    expect(await until(async () => (await learned()).sort().join() === both.join(), 10_000)).toBe(true);
    await appliance.apply(wanted([v4, second], { bgp: { asn: 65_001, maximum_paths: 1, neighbors: [v4, second] } }));
    expect(await until(async () => (await learned()).length === 1, 5_000)).toBe(true);
  });

  it('talks to a router beside the link, far away, and when it is called', async () => {
    const far: BgpNeighbor = { address: '192.0.2.101', asn: 65_000, multihop: 2, passive: true };
    const more = { static_routes: [{ destination: '192.0.2.101/32', nexthop: '198.51.100.4' }] };
    // As the API of 2016 has it: the default gateway is the neighbour.
    const gateway = { default_v6_gateway: 'fe80::1' };
    const beside: BgpNeighbor = { address: 'fe80::1', asn: 65_000, import: { prefixes: ['2001:db8:50::/48'] } };
    await appliance.apply(wanted([far, beside], { ...more, ...gateway }));
    expect(await established('fe80::1%qg-x')).toBe(true);
    expect(await established('192.0.2.101')).toBe(true);
    expect(await until(async () => (await learned()).includes('0.0.0.0/0 198.51.100.4'), 5_000)).toBe(true);
    expect(await until(async () => (await learned()).includes('2001:db8:50::/48 fe80::1'), 5_000)).toBe(true);
    expect(await until(async () => (await p1.route('2001:db8:a::/64')).includes('via fe80::2'), 5_000)).toBe(true);
  });

  it('is what `asn` and `neighbor_asn` of 2016 meant', async () => {
    generation += 1;
    const body: Config2016 = {
      hostname: 'r1',
      tenant_id: 'feed',
      networks: [
        network2016('external', 'ge0', ['2001:db8:e::2/64'], { cidr: '2001:db8:e::/64', gateway_ip: '2001:db8:e::1' }),
        network2016('internal', 'ge1', ['2001:db8:a::1/64'], { cidr: '2001:db8:a::/64', gateway_ip: '2001:db8:a::1' }),
      ],
      asn: 65_001,
      neighbor_asn: 65_000,
    };
    const names = new Map([
      ['ge0', 'qg-x'],
      ['ge1', 'qr-a'],
    ]);
    const translated = translate(body, { names, generation });
    if (!translated.ok) throw new Error(JSON.stringify(translated.errors));
    await appliance.apply(translated.value);
    expect(await established('2001:db8:e::1')).toBe(true);
    expect(await until(async () => (await p1.route('2001:db8:a::/64')).includes('via 2001:db8:e::2'), 5_000)).toBe(
      true,
    );
    expect(await until(async () => (await learned()).includes('2001:db8:50::/48 2001:db8:e::1'), 5_000)).toBe(true);
  });

  it('is done by BIRD’s own user, who alone reads the keys', async () => {
    await appliance.apply(wanted([v4, second]));
    const pid = await birdPid();
    expect(statSync(`/proc/${pid}`).uid).toBe(account('bird').uid);
    const directory = join(world.home.runDir, 'routing');
    for (const name of ['bird.conf', 'floating.conf']) {
      const { mode, uid, gid } = statSync(join(directory, name));
      expect([mode & 0o777, uid, gid]).toEqual([0o640, 0, account('bird').gid]);
    }
    expect(statSync(directory).mode & 0o777).toBe(0o750);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(KEY);
    expect(JSON.stringify([await appliance.status(), await appliance.check()])).not.toContain('everything');
  });

  it('knows a neighbour by its key', async () => {
    await appliance.apply(wanted([second]));
    expect(await established('198.51.100.3')).toBe(true);
    await appliance.apply(wanted([{ ...second, password: 'another' }]));
    expect(await until(async () => (await p2.establishedSince('r4')) === undefined, 5_000)).toBe(true);
    const attempts = async () => (await world.exec('p2', ['nstat', '-asz', 'TcpExtTCPMD5Failure'])).stdout;
    expect(await until(async () => Number(/Failure\s+(\d+)/.exec(await attempts())?.[1] ?? 0) > 0, 10_000)).toBe(true);
    expect(await p2.establishedSince('r4')).toBeUndefined();
    await appliance.apply(wanted([second]));
    expect(await established('198.51.100.3')).toBe(true);
  });
});
