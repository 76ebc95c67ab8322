import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Appliance, type ApplyReport } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { BirdPeer } from '../../testing/bird-peer.ts';
import { config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

/** Ten thousand floating IPs are announced; then there is one more. */

const MANY = 10_000;

let world: World;
let appliance: Appliance;
let peer: BirdPeer;
let generation = 0;

function wanted(count: number): ApplianceConfig {
  generation += 1;
  return config(
    [
      network('external', 'qg-x', ['198.51.100.2/24'], { subnets: [subnet('198.51.100.0/24', null)] }),
      network('internal', 'qr-a', ['10.0.0.1/16'], { subnets: [subnet('10.0.0.0/16', '10.0.0.1')] }),
    ],
    {
      generation,
      floating_ips: Array.from({ length: count }, (_, n) => ({
        floating_ip: `203.0.${n >> 8}.${n & 255}`,
        fixed_ip: `10.0.${n >> 8}.${n & 255}`,
      })),
      bgp: { asn: 65_001, neighbors: [{ address: '198.51.100.1', asn: 65_000 }] },
    },
  );
}

function stepTime({ steps }: ApplyReport): number {
  return steps.filter(({ service }) => service === 'routing').reduce((sum, { ms }) => sum + ms, 0);
}

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  await world.host('p1', 'ext', { addresses: ['198.51.100.1/24'] });
  const session = 'local 198.51.100.1 as 65000; neighbor 198.51.100.2 as 65001; connect delay time 1;';
  const conf = `protocol bgp r4 { ${session} ipv4 { import all; export none; }; }\n`;
  peer = await BirdPeer.start(world, 'p1', '198.51.100.1', conf);
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
}, 30_000);

afterAll(async () => {
  try {
    await appliance?.close();
    await peer?.stop();
  } finally {
    await world?.destroy();
  }
});

it('one floating IP more is announced at once, and no session notices', async () => {
  await appliance.apply(wanted(MANY));
  const last = (count: number) => `203.0.${(count - 1) >> 8}.${(count - 1) & 255}`;
  expect(await until(async () => (await peer.route(last(MANY))) !== '', 20_000)).toBe(true);
  const since = await peer.establishedSince('r4');
  for (let count = MANY + 1; count <= MANY + 3; count += 1) {
    const start = performance.now();
    const report = await appliance.apply(wanted(count));
    const applied = performance.now() - start;
    expect(await until(async () => (await peer.route(last(count))) !== '', 2_000)).toBe(true);
    const told = performance.now() - start;
    console.info(
      `1 of ${count}: BIRD ${stepTime(report)} ms, apply ${applied.toFixed(1)} ms, told ${told.toFixed(1)} ms`,
    );
    expect(stepTime(report)).toBeLessThan(1_000);
  }
  await appliance.apply(wanted(1));
  expect(await until(async () => (await peer.route(last(MANY))) === '', 10_000)).toBe(true);
  expect(await peer.route(last(1))).not.toBe('');
  expect(await peer.establishedSince('r4')).toBe(since);
}, 60_000);
