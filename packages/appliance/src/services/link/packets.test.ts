import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Applier } from '../../apply/applier.ts';
import type { AnyService } from '../../apply/state.ts';
import { until } from '../../processes.ts';
import { config, network } from '../../testing/configs.ts';
import { adoptWith } from '../../testing/single-service.ts';
import { World } from '../../testing/world.ts';
import { linkService } from './service.ts';

/**
 * out (198.51.100.1, and 203.0.113.1 for a second range) ── qg-x [router] qr-a ── a (10.1.0.10)
 *                                                                         qr-b ── n1 (10.2.0.11), n2 (10.2.0.12)
 *                                                                         qr-p ── p (198.51.100.130, which out takes for a neighbour)
 * n1 and n2 both have what is behind them: 172.16.0.1 and 2001:db8:5::1. No firewall.
 */
let world: World;
let applier: Applier;
let close: () => Promise<void>;

const external = network('external', 'qg-x', ['198.51.100.2/24', '2001:db8::2/64']);
const a = network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64']);
const b = network('internal', 'qr-b', ['10.2.0.1/24', 'fd02::1/64']);
const p = network('internal', 'qr-p', ['198.51.100.129/26', '2001:db8::8:1/112']);
const gateways = { default_v4_gateway: '198.51.100.1', default_v6_gateway: '2001:db8::1' };
const shared = (weight: number) => ({
  static_routes: [
    { destination: '172.16.0.0/12', nexthop: '10.2.0.11', weight },
    { destination: '172.16.0.0/12', nexthop: '10.2.0.12' },
    { destination: '2001:db8:5::/48', nexthop: 'fd02::11', weight },
    { destination: '2001:db8:5::/48', nexthop: 'fd02::12' },
  ],
});
const apply = (made: ApplianceConfig) => applier.apply(made, () => undefined);

beforeAll(async () => {
  world = await World.create();
  for (const [bridge, ifname] of [
    ['ext', 'qg-x'],
    ['neta', 'qr-a'],
    ['netb', 'qr-b'],
    ['netp', 'qr-p'],
  ] as const) {
    await world.segment(bridge, ifname);
  }
  await world.host('out', 'ext', { addresses: ['198.51.100.1/24', '203.0.113.1/24', '2001:db8::1/64'] });
  await world.host('a', 'neta', { addresses: ['10.1.0.10/24', 'fd01::10/64'], gateway: '10.1.0.1' });
  await world.host('p', 'netp', { addresses: ['198.51.100.130/26', '2001:db8::8:130/112'], gateway: '198.51.100.129' });
  await world.ip([
    `-n ${world.name('a')} route add default via fd01::1`,
    `-n ${world.name('p')} route add default via 2001:db8::8:1`,
  ]);
  for (const host of ['11', '12']) {
    const name = `n${host.slice(1)}`;
    await world.host(name, 'netb', { addresses: [`10.2.0.${host}/24`, `fd02::${host}/64`], gateway: '10.2.0.1' });
    await world.ip([
      `-n ${world.name(name)} route add default via fd02::1`,
      `-n ${world.name(name)} addr add 172.16.0.1/32 dev lo`,
      `-n ${world.name(name)} addr add 2001:db8:5::1/128 dev lo nodad`,
    ]);
  }
  ({ applier, close } = await adoptWith(world, linkService as unknown as AnyService));
});

afterAll(async () => {
  try {
    await close?.();
  } finally {
    await world?.destroy();
  }
});

describe('several next hops', () => {
  const SEND = `const [host, count] = process.argv.slice(1);
    const dgram = require('node:dgram');
    for (let flow = 0; flow < Number(count); flow++) {
      const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.on('error', () => undefined); // that nobody listens is told
      socket.send('x', 9, host, () => socket.close());
    }`;
  const targets = { 4: '172.16.0.1', 6: '2001:db8:5::1' } as const;
  type Family = keyof typeof targets;

  /** UDP datagrams that arrived at a host where nobody listens. */
  async function arrived(host: string, family: Family): Promise<number> {
    const { stdout } = await world.exec(host, ['cat', family === 4 ? '/proc/net/snmp' : '/proc/net/snmp6']);
    const found = family === 4 ? /^Udp: \d+ (\d+)/m.exec(stdout) : /^Udp6NoPorts\s+(\d+)/m.exec(stdout);
    return Number(found?.[1]);
  }

  /** How many of so many new flows took which next hop. */
  async function flows(family: Family, count: number): Promise<{ n1: number; n2: number }> {
    const counts = async () => [await arrived('n1', family), await arrived('n2', family)] as const;
    const [first, second] = await counts();
    await world.exec('a', [process.execPath, '-e', SEND, targets[family], String(count)]);
    let taken = { n1: 0, n2: 0 };
    await until(async () => {
      const [one, two] = await counts();
      taken = { n1: one - first, n2: two - second };
      return taken.n1 + taken.n2 === count;
    }, 3_000);
    return taken;
  }

  for (const family of [4, 6] as const) {
    it(`IPv${family}: flows take both, by weight`, async () => {
      await apply(config([external, a, b], shared(1)));
      expect(await world.eventuallyPings('a', targets[family])).toBe(true);
      const even = await flows(family, 200);
      expect(even.n1 + even.n2).toBe(200);
      // A fair coin would miss this once in 10^9 times.
      expect(Math.abs(even.n1 - 100)).toBeLessThan(43);

      await apply(config([external, a, b], shared(7)));
      const weighted = await flows(family, 200);
      expect(weighted.n1 + weighted.n2).toBe(200);
      expect(weighted.n1).toBeGreaterThan(145);
      expect(weighted.n2).toBeGreaterThan(2);
    });
  }

  it('IPv4: one that does not answer ARP gets nothing', async () => {
    await apply(config([external, a, b], shared(1)));
    expect(await world.eventuallyPings('a', targets[4])).toBe(true);
    await world.ip([`-n ${world.name('sw')} link set h-n2 down`]);
    expect(await world.netns.resolve('qr-b', '10.2.0.12', AbortSignal.timeout(5_000))).toBeUndefined();
    expect(await flows(4, 100)).toEqual({ n1: 100, n2: 0 });
    await world.ip([`-n ${world.name('sw')} link set h-n2 up`]);
  });
});

describe('addresses that hosts of the external network take for neighbours', () => {
  it('of a second range of floating IPs need nothing: they are addresses of the interface', async () => {
    const floating_ips = [{ floating_ip: '203.0.113.50', fixed_ip: '10.1.0.10' }];
    await apply(config([external, a], { ...gateways, floating_ips }));
    expect(await world.eventuallyPings('out', '203.0.113.50')).toBe(true);
  });

  it('behind the router are answered for when they are proxied, and only then', async () => {
    const proxied = { ...external, proxied_addresses: ['198.51.100.130/32', '2001:db8::8:130/128'] };
    await apply(config([external, p], gateways));
    expect(await world.eventuallyPings('p', '198.51.100.129')).toBe(true);
    expect(await world.pings('out', '198.51.100.130')).toBe(false);
    expect(await world.pings('out', '2001:db8::8:130')).toBe(false);
    await apply(config([proxied, p], gateways));
    expect(await world.eventuallyPings('out', '198.51.100.130')).toBe(true);
    expect(await world.eventuallyPings('out', '2001:db8::8:130')).toBe(true);
    // Of others nothing is said.
    expect(await world.pings('out', '198.51.100.131')).toBe(false);
    await apply(config([external, p], gateways));
    await world.ip([`-n ${world.name('out')} neigh flush all`]);
    expect(await world.pings('out', '198.51.100.130')).toBe(false);
    expect(await world.pings('out', '2001:db8::8:130')).toBe(false);
  });
});

describe('the self-check', () => {
  const check = async () =>
    (await applier.check(AbortSignal.timeout(2_000))).map(({ name, ok }) => `${ok ? 'ok' : 'FAILED'}: ${name}`);

  it('asks the default gateways for their link-layer addresses', async () => {
    await apply(config([external], gateways));
    const good = [
      'ok: interface qg-x is up',
      'ok: gateway 198.51.100.1 answers ARP on qg-x',
      'ok: gateway 2001:db8::1 answers ND on qg-x',
    ];
    expect(await check()).toEqual(good);

    await world.ip([`-n ${world.name('sw')} link set h-out down`]);
    const start = performance.now();
    expect(await check()).toEqual([
      'ok: interface qg-x is up',
      'FAILED: gateway 198.51.100.1 answers ARP on qg-x',
      'FAILED: gateway 2001:db8::1 answers ND on qg-x',
    ]);
    expect(performance.now() - start).toBeLessThan(4_000);

    await world.ip([`-n ${world.name('sw')} link set h-out up`]);
    await expect.poll(check, { timeout: 10_000 }).toEqual(good);
  });

  it('asks both gateways where the way out is shared', async () => {
    const static_routes = ['198.51.100.1', '198.51.100.9'].map((nexthop) => ({ destination: '0.0.0.0/0', nexthop }));
    await apply(config([external], { static_routes }));
    expect(await check()).toEqual([
      'ok: interface qg-x is up',
      'ok: gateway 198.51.100.1 answers ARP on qg-x',
      'FAILED: gateway 198.51.100.9 answers ARP on qg-x',
    ]);
  });
});
