import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AnyService } from '../../apply/state.ts';
import { until } from '../../processes.ts';
import { config, network } from '../../testing/configs.ts';
import { adoptWith } from '../../testing/single-service.ts';
import { World } from '../../testing/world.ts';
import { linkService } from '../link/service.ts';
import { probeOutside } from './probe.ts';

/** out (198.51.100.1, 2001:db8::1, fe80::1; answers no ping) ── qg-x [router] */
let world: World;
let close: () => Promise<void>;
const external = network('external', 'qg-x', ['198.51.100.2/24', '2001:db8::2/64']);
const made = config([external], { default_v4_gateway: '198.51.100.1', default_v6_gateway: 'fe80::1' });
const probe = (more: Partial<typeof made> = {}) =>
  probeOutside(world.netns, { ...made, ...more }, AbortSignal.timeout(1_500));

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.host('out', 'ext', { addresses: ['198.51.100.1/24', '2001:db8::1/64', 'fe80::1/64'] });
  await world.exec('out', ['sysctl', '-qw', 'net.ipv4.icmp_echo_ignore_all=1', 'net.ipv6.icmp.echo_ignore_all=1']);
  const adopted = await adoptWith(world, linkService as unknown as AnyService);
  close = adopted.close;
  await adopted.applier.apply(made, () => undefined);
});

afterAll(async () => {
  try {
    await close?.();
  } finally {
    await world?.destroy();
  }
});

it('asks nobody where nothing is configured', async () => {
  const signal = AbortSignal.timeout(1_000);
  expect(await probeOutside(world.netns, undefined, signal)).toEqual({ v4: null, v6: null, probes: [] });
  expect(await probe({ probes: [] })).toEqual({ v4: null, v6: null, probes: [] });
});

it('asks the default gateways, which need not answer pings, on their interfaces', async () => {
  await expect.poll(() => probe(), { timeout: 5_000 }).toMatchObject({ v4: true, v6: true });
  const { probes } = await probe();
  expect(probes).toEqual([
    { type: 'gateway', address: '198.51.100.1', ok: true, ms: expect.any(Number) },
    { type: 'gateway', address: 'fe80::1', ok: true, ms: expect.any(Number) },
  ]);
  expect(await probe({ default_v4_gateway: '198.51.100.9', default_v6_gateway: null })).toEqual({
    v4: false,
    v6: null,
    probes: [{ type: 'gateway', address: '198.51.100.9', ok: false, error: 'no answer' }],
  });
});

it('asks what the configuration says, and one answer of a version is enough', async () => {
  await world.background('out', ['socat', 'TCP6-LISTEN:7,fork,reuseaddr', 'PIPE']);
  await until(async () => (await world.exec('out', ['ss', '-Hltn', 'sport = :7'])).stdout !== '', 5_000);
  const result = await probe({
    probes: [
      { type: 'ping', address: '198.51.100.1' },
      { type: 'tcp', address: '198.51.100.1', port: 8 },
      { type: 'tcp', address: '2001:db8::1', port: 7 },
      { type: 'ping', address: '2001:db8::1' },
    ],
  });
  expect(result).toMatchObject({
    v4: false,
    v6: true,
    probes: [
      { type: 'ping', address: '198.51.100.1', ok: false, error: 'no answer' },
      { type: 'tcp', address: '198.51.100.1', port: 8, ok: false, error: expect.stringContaining('ECONNREFUSED') },
      { type: 'tcp', address: '2001:db8::1', port: 7, ok: true },
      { type: 'ping', ok: false },
    ],
  });
});
