import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { BgpNeighbor } from '@astara/model/appliance/routing.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { BirdPeer } from '../../testing/bird-peer.ts';
import { config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

/** `a1` 10.0.0.5 - `qr-a` router `qg-x` 198.51.100.2 - `p1` 198.51.100.1 (watched by BFD), `p2` 198.51.100.3 (not). */

const timers = { min_rx_ms: 50, min_tx_ms: 50, multiplier: 3 };
const watched: BgpNeighbor = { address: '198.51.100.1', asn: 65_000, bfd: true };
const watched6: BgpNeighbor = { address: '2001:db8:e::1', asn: 65_000, bfd: true };
const trusted: BgpNeighbor = { address: '198.51.100.3', asn: 65_000 };

let world: World;
let appliance: Appliance;
let p1: BirdPeer;
let p2: BirdPeer;
let generation = 0;

function wanted(neighbors: BgpNeighbor[], floating = [5]): ApplianceConfig {
  generation += 1;
  return config(
    [
      network('external', 'qg-x', ['198.51.100.2/24', '2001:db8:e::2/64'], {
        subnets: [subnet('198.51.100.0/24', null)],
      }),
      network('internal', 'qr-a', ['10.0.0.1/24'], { subnets: [subnet('10.0.0.0/24', '10.0.0.1')] }),
    ],
    {
      generation,
      floating_ips: floating.map((n) => ({ floating_ip: `203.0.113.${n}`, fixed_ip: `10.0.0.${n}` })),
      bgp: { asn: 65_001, neighbors },
      bfd: timers,
    },
  );
}

function peerConf(router: Record<string, string>, local: string, more = ''): string {
  const bfd = 'min rx interval 50 ms; min tx interval 50 ms; multiplier 3;';
  const sessions = Object.entries(router).map(([name, address]) => {
    const version = address.includes(':') ? 6 : 4;
    const own = version === 6 ? '2001:db8:e::1' : local;
    return `protocol bgp ${name} { local ${own} as 65000; neighbor ${address} as 65001; connect delay time 1;
      error wait time 1, 2; graceful restart on; ${more} ipv${version} { import all; export all; }; }\n`;
  });
  return `protocol static { ipv4; route 0.0.0.0/0 blackhole; }\nprotocol static { ipv6; route ::/0 blackhole; }
    protocol bfd { interface "*" { ${bfd} }; }\n${sessions.join('')}`;
}

async function learned(): Promise<string[]> {
  const all = await world.netns.routes();
  return all.filter(({ protocol }) => protocol === 12).map(({ destination, via }) => `${destination} ${via}`);
}

const has = async (route: string) => (await learned()).includes(route);

async function birdPid(): Promise<number | undefined> {
  return (await world.home.processes()).find(({ argv }) => argv[0] === 'bird')?.pid;
}

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  await world.host('p1', 'ext', { addresses: ['198.51.100.1/24', '2001:db8:e::1/64'] });
  await world.host('p2', 'ext', { addresses: ['198.51.100.3/24'] });
  await world.host('a1', 'neta', { addresses: ['10.0.0.5/24'], gateway: '10.0.0.1' });
  for (const host of ['p1', 'p2']) await world.ip([`-n ${world.name(host)} addr add 192.0.2.100/32 dev lo`]);
  const router = { r4: '198.51.100.2', r6: '2001:db8:e::2' };
  p1 = await BirdPeer.start(world, 'p1', '198.51.100.1', peerConf(router, '198.51.100.1', 'bfd on;'));
  p2 = await BirdPeer.start(world, 'p2', '198.51.100.3', peerConf({ r4: router.r4 }, '198.51.100.3'));
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterAll(async () => {
  try {
    await appliance?.close();
    await p1?.stop();
    await p2?.stop();
  } finally {
    await world?.destroy();
  }
});

describe('BFD', () => {
  it('takes the routes of a neighbour that hangs away within a second', async () => {
    await appliance.apply(wanted([watched, watched6]));
    const both = async () => (await has('0.0.0.0/0 198.51.100.1')) && (await has('::/0 2001:db8:e::1'));
    expect(await until(both, 10_000)).toBe(true);
    const up = async () => (await p1.command('show bfd sessions')).lines.filter((line) => / Up /.test(line)).length;
    expect(await until(async () => (await up()) === 2, 10_000)).toBe(true);
    const start = performance.now();
    p1.signal('SIGSTOP');
    try {
      expect(await until(async () => (await learned()).length === 0, 1_000)).toBe(true);
      expect(performance.now() - start).toBeLessThan(1_000);
    } finally {
      p1.signal('SIGCONT');
    }
    expect(await until(both, 20_000)).toBe(true);
  });
});

describe('a BIRD that is killed', () => {
  it('is back within a second, and nobody notices', async () => {
    await appliance.apply(wanted([trusted]));
    expect(await until(() => has('0.0.0.0/0 198.51.100.3'), 10_000)).toBe(true);
    expect(await until(async () => (await p2.route('203.0.113.5')) !== '', 10_000)).toBe(true);
    const since = await p2.establishedSince('r4');
    // Out through what was learned, back through what was told.
    const out = await world.background('a1', ['ping', '-n', '-q', '-i', '0.01', '-c', '300', '192.0.2.100']);
    const back = await world.background('p2', ['ping', '-n', '-q', '-i', '0.01', '-c', '300', '203.0.113.5']);
    const pid = await birdPid();
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    expect(await until(async () => ![undefined, pid].includes(await birdPid()), 1_000)).toBe(true);
    const again = async () => {
      const now = await p2.establishedSince('r4');
      return now !== undefined && now !== since;
    };
    expect(await until(again, 10_000)).toBe(true);
    // As a restarting speaker it has waited for the neighbour; from now on it is as before.
    expect(
      await until(async () => (await p2.command('show route for 203.0.113.5')).lines.join().includes('r4'), 5_000),
    ).toBe(true);
    await Promise.all([out.exited, back.exited]);
    expect(out.output()).toContain('300 received');
    expect(back.output()).toContain('300 received');
    expect(await learned()).toEqual(['0.0.0.0/0 198.51.100.3']);
  });

  it('gives up what its neighbours do not tell any more', async () => {
    const pid = await birdPid();
    await p2.reconfigure(
      '198.51.100.3',
      peerConf({ r4: '198.51.100.2' }, '198.51.100.3').replace(/ipv4 \{[^}]*\}/, 'ipv4 { import all; export none; }'),
    );
    expect(await until(async () => (await learned()).length === 0, 5_000)).toBe(true);
    expect(await birdPid()).toBe(pid);
    await p2.reconfigure('198.51.100.3', peerConf({ r4: '198.51.100.2' }, '198.51.100.3'));
    expect(await until(() => has('0.0.0.0/0 198.51.100.3'), 5_000)).toBe(true);
  });
});

describe('a restarted agent', () => {
  it('takes BIRD over without touching a session', async () => {
    const [pid, since] = [await birdPid(), await p2.establishedSince('r4')];
    expect(since).toBeDefined();
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    const adopted = (await appliance.status()).find(({ name }) => name === 'routing');
    expect(adopted).toMatchObject({ wanted: true, running: true });
    expect(adopted?.error).toBeUndefined();
    await appliance.apply(wanted([trusted], [5, 6]));
    expect(await until(async () => (await p2.route('203.0.113.6')) !== '', 5_000)).toBe(true);
    expect([await birdPid(), await p2.establishedSince('r4')]).toEqual([pid, since]);
  });

  it('takes learned routes away when BGP ends', async () => {
    await appliance.apply({ ...wanted([]), bgp: { asn: 65_001, neighbors: [] } });
    expect(await until(async () => (await learned()).length === 0, 5_000)).toBe(true);
  });

  it('takes them away also when BIRD is not there to do it', async () => {
    await appliance.apply(wanted([trusted]));
    expect(await until(() => has('0.0.0.0/0 198.51.100.3'), 10_000)).toBe(true);
    process.kill((await birdPid()) ?? Number.NaN, 'SIGKILL');
    expect(await learned()).not.toEqual([]);
    generation += 1;
    const { bgp: _, ...without } = wanted([]);
    await appliance.apply({ ...without, generation });
    expect(await learned()).toEqual([]);
    expect(await birdPid()).toBeUndefined();
  });
});
