import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { routerConfig, routerWorld } from '../../testing/router-world.ts';
import type { World } from '../../testing/world.ts';
import { firewallService } from './service.ts';

let world: World;
let appliance: Appliance;

beforeAll(async () => {
  world = await routerWorld();
  // Takes datagrams: who is told that nobody does, stops.
  for (const host of ['out', 'a1', 'a2']) await world.background(host, ['socat', '-u', 'UDP4-RECV:9', '/dev/null']);
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
}, 30_000);

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

/** Echo requests of 128 bytes, or 148 of IPv6. */
function ping(host: string, address: string, count: number) {
  return world.exec(host, ['ping', '-n', '-q', '-c', String(count), '-i', '0.05', '-s', '100', address]);
}

describe('floating IPs', () => {
  const limited = { max_kbps: 1000 };
  const fips = (rate_limits?: { ingress?: typeof limited; egress?: typeof limited }) => [
    { floating_ip: '198.51.100.80', fixed_ip: '10.1.0.10', ...(rate_limits === undefined ? {} : { rate_limits }) },
    { floating_ip: '198.51.100.81', fixed_ip: '10.1.0.11' },
  ];
  const counters = async (address: string) => (await appliance.runner(firewallService).addresses()).get(address);
  const received = async (address: string) => (await counters(address))?.received.bytes ?? 0;
  const sent = async (address: string) => (await counters(address))?.sent.bytes ?? 0;
  /** 2000 datagrams of 1000 bytes, as fast as they go. */
  const flood = (host: string, address: string) =>
    world.exec(host, ['sh', '-c', `head -c 2000000 /dev/zero | socat -b 1000 -u - UDP4:${address}:9`]);

  it('count what comes in from outside and goes out', async () => {
    await appliance.apply(routerConfig({ floating_ips: fips() }));
    expect(await world.eventuallyPings('out', '198.51.100.80')).toBe(true);
    const before = await counters('198.51.100.80');
    await ping('out', '198.51.100.80', 3);
    await ping('a1', '198.51.100.1', 2);
    const after = await counters('198.51.100.80');
    for (const direction of ['received', 'sent'] as const) {
      expect((after?.[direction].packets ?? 0) - (before?.[direction].packets ?? 0)).toBe(5);
      expect((after?.[direction].bytes ?? 0) - (before?.[direction].bytes ?? 0)).toBe(5 * 128);
    }
    // From inside it does not pass the outside.
    expect(await world.pings('a2', '198.51.100.80')).toBe(true);
    expect(await counters('198.51.100.80')).toEqual(after);
  });

  it('keep their counters when others come and go, and when the agent does', async () => {
    const before = await counters('198.51.100.80');
    expect(before?.received.packets).toBeGreaterThan(0);
    const third = { floating_ip: '198.51.100.82', fixed_ip: '10.2.0.10' };
    await appliance.apply(routerConfig({ floating_ips: [...fips(), third] }));
    await appliance.apply(routerConfig({ floating_ips: fips() }));
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await counters('198.51.100.80')).toEqual(before);
  });

  it('have limits each way, which are theirs alone', async () => {
    await appliance.apply(routerConfig({ floating_ips: fips({ ingress: limited }) }));
    const before = [await received('198.51.100.80'), await received('198.51.100.81')];
    await Promise.all([flood('out', '198.51.100.80'), flood('out', '198.51.100.81')]);
    // A second's worth and the burst at once, then 125,000 bytes per second.
    const limitedBytes = (await received('198.51.100.80')) - (before[0] ?? 0);
    expect(limitedBytes).toBeGreaterThan(150_000);
    expect(limitedBytes).toBeLessThan(900_000);
    expect((await received('198.51.100.81')) - (before[1] ?? 0)).toBeGreaterThan(1_900_000);

    await appliance.apply(routerConfig({ floating_ips: fips({ egress: limited }) }));
    const start = [await received('198.51.100.80'), await sent('198.51.100.80')];
    await Promise.all([flood('out', '198.51.100.80'), flood('a1', '198.51.100.1')]);
    expect((await received('198.51.100.80')) - (start[0] ?? 0)).toBeGreaterThan(1_900_000);
    expect((await sent('198.51.100.80')) - (start[1] ?? 0)).toBeLessThan(900_000);
  });

  it('start to count anew when they come back', async () => {
    await appliance.apply(routerConfig());
    expect(await counters('198.51.100.80')).toBeUndefined();
  });
});

describe('labels', () => {
  const labels = {
    'all:4': ['0.0.0.0/0'],
    near: ['198.51.100.0/24', '2001:db8:1::/64'],
    'one host': ['198.51.100.1/32'],
    elsewhere: ['203.0.113.0/24'],
  };
  const config = () =>
    routerConfig({
      labels: Object.fromEntries(Object.entries(labels).map(([name, cidrs]) => [name.replace(' ', '-'), cidrs])),
    });

  it('count each way what is exchanged with their prefixes, wherever these overlap', async () => {
    const desired = config();
    await appliance.apply(desired);
    const runner = appliance.runner(firewallService);
    await world.eventuallyPings('a1', '2001:db8:1::1');
    await world.eventuallyPings('a1', '198.51.100.1');
    await runner.labels(desired, { reset: true });
    await ping('a1', '198.51.100.1', 3);
    await ping('a1', '2001:db8:1::1', 2);
    // Not outside.
    await ping('a1', '10.2.0.10', 1);
    const four = { packets: 3, bytes: 3 * 128 };
    const both = { packets: 5, bytes: 3 * 128 + 2 * 148 };
    const none = { packets: 0, bytes: 0 };
    const expected = [
      { name: 'all:4', in: four, out: four },
      { name: 'near', in: both, out: both },
      { name: 'one-host', in: four, out: four },
      { name: 'elsewhere', in: none, out: none },
    ];
    expect(await runner.labels(desired, { reset: false })).toEqual(expected);
    expect(await runner.labels(desired, { reset: true })).toEqual(expected);
    for (const label of await runner.labels(desired, { reset: true }))
      expect([label.in, label.out]).toEqual([none, none]);
  });

  it('go with the configuration', async () => {
    const desired = routerConfig();
    await appliance.apply(desired);
    expect(await appliance.runner(firewallService).labels(desired, { reset: true })).toEqual([]);
    expect((await world.exec('r', ['nft', 'list', 'counters'])).stdout).not.toContain('label');
  });
});
