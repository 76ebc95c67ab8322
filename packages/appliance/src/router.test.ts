import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from './appliance.ts';
import { until } from './processes.ts';
import { config, network, subnet } from './testing/configs.ts';
import { World } from './testing/world.ts';

/**
 * ext (198.51.100.1) ── qg-x [router] qr-a ── a1 (10.1.0.10), a2 (10.1.0.11)
 *                                     qr-b ── b1 (10.2.0.10)
 */
let world: World;
let appliance: Appliance;

const external = network('external', 'qg-x', ['198.51.100.2/24'], {
  subnets: [subnet('198.51.100.0/24', '198.51.100.1')],
});
const a = network('internal', 'qr-a', ['10.1.0.1/24'], { subnets: [subnet('10.1.0.0/24', '10.1.0.1')] });
const b = network('internal', 'qr-b', ['10.2.0.1/24'], { subnets: [subnet('10.2.0.0/24', '10.2.0.1')] });
const routed = network('internal', 'qr-b', ['10.2.0.1/24'], {
  subnets: [subnet('10.2.0.0/24', '10.2.0.1', { nat: false })],
});
const gateway = { default_v4_gateway: '198.51.100.1' };
const fip = (floating: string, fixed: string) => ({ floating_ip: floating, fixed_ip: fixed });

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  await world.segment('netb', 'qr-b');
  await world.host('out', 'ext', { addresses: ['198.51.100.1/24'] });
  await world.host('a1', 'neta', { addresses: ['10.1.0.10/24'], gateway: '10.1.0.1' });
  await world.host('a2', 'neta', { addresses: ['10.1.0.11/24'], gateway: '10.1.0.1' });
  await world.host('b1', 'netb', { addresses: ['10.2.0.10/24'], gateway: '10.2.0.1' });
  for (const host of ['out', 'a1', 'a2', 'b1']) await world.tellPeer(host, 7000);
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

describe('before the first configuration', () => {
  it('drops everything, also what reaches the router itself', async () => {
    await world.ip(
      ['qg-x 198.51.100.2/24', 'qr-a 10.1.0.1/24', 'qr-b 10.2.0.1/24'].flatMap((text) => {
        const [ifname, cidr] = text.split(' ');
        return [`-n ${world.name('r')} addr add ${cidr} dev ${ifname}`, `-n ${world.name('r')} link set ${ifname} up`];
      }),
    );
    await world.exec('r', ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    expect(await world.pings('a1', '10.1.0.1')).toBe(false);
    expect(await world.pings('a1', '10.2.0.10')).toBe(false);
    expect(appliance.applied).toBeNull();
    await world.ip(['qg-x', 'qr-a', 'qr-b'].map((ifname) => `-n ${world.name('r')} addr flush dev ${ifname}`));
  });
});

describe('a router', () => {
  it('routes between its networks and leaves through the external address', async () => {
    const report = await appliance.apply(config([external, a, b], { ...gateway, generation: 1 }));
    expect(report.warnings).toEqual([]);
    expect(await world.eventuallyPings('a1', '10.2.0.10')).toBe(true);
    expect(await world.pings('b1', '10.1.0.11')).toBe(true);
    expect(await world.seenAs('a1', '198.51.100.1', 7000)).toBe('198.51.100.2');
    expect(await world.seenAs('a1', '10.2.0.10', 7000)).toBe('10.1.0.10');
  });

  it('lets nobody in from outside', async () => {
    await world.ip([`-n ${world.name('out')} route add 10.0.0.0/8 via 198.51.100.2`]);
    expect(await world.pings('out', '198.51.100.2')).toBe(true);
    expect(await world.pings('out', '10.1.0.10')).toBe(false);
    expect(await world.seenAs('out', '10.2.0.10', 7000)).toBe('');
  });

  it('answers pings and nothing else', async () => {
    expect(await world.pings('a1', '10.1.0.1')).toBe(true);
    expect(await world.pings('a1', '198.51.100.2')).toBe(true);
    const { stderr } = await world.exec('a1', ['socat', '-', 'TCP4:10.1.0.1:9697,connect-timeout=1']);
    expect(stderr).toMatch(/timed out/i);
  });

  it('does nothing when nothing has changed', async () => {
    const report = await appliance.apply(config([external, a, b], { ...gateway, generation: 2 }));
    expect(report.steps).toEqual([]);
    expect(appliance.applied?.generation).toBe(2);
  });

  it('refuses an older generation', async () => {
    await expect(appliance.apply(config([external, a, b], { ...gateway, generation: 1 }))).rejects.toMatchObject({
      code: 'APPLIANCE_GENERATION_OLD',
      status: 409,
    });
  });

  it('lets routed subnets be reached from outside, untranslated', async () => {
    await appliance.apply(config([external, a, routed], { ...gateway, generation: 3 }));
    expect(await world.seenAs('out', '10.2.0.10', 7000)).toBe('198.51.100.1');
    expect(await world.seenAs('b1', '198.51.100.1', 7000)).toBe('10.2.0.10');
    expect(await world.pings('out', '10.1.0.10')).toBe(false);
    await appliance.apply(config([external, a, b], { ...gateway, generation: 4 }));
  });

  it('translates nothing with snat off', async () => {
    await appliance.apply(config([external, a, b], { ...gateway, snat: false, generation: 5 }));
    expect(await world.seenAs('a1', '198.51.100.1', 7000)).toBe('10.1.0.10');
    await appliance.apply(config([external, a, b], { ...gateway, generation: 6 }));
    expect(await world.seenAs('a1', '198.51.100.1', 7000)).toBe('198.51.100.2');
  });
});

describe('floating IPs', () => {
  const withFips = (generation: number, ...floating_ips: ReturnType<typeof fip>[]) =>
    config([external, a, b], { ...gateway, generation, floating_ips });

  it('lead in with the client seen, and out', async () => {
    const report = await appliance.apply(withFips(10, fip('198.51.100.50', '10.1.0.10')));
    expect(report.steps.map((step) => step.service)).toEqual(['link', 'firewall', 'link']);
    expect(await world.eventuallyPings('out', '198.51.100.50')).toBe(true);
    expect(await world.seenAs('out', '198.51.100.50', 7000)).toBe('198.51.100.1');
    expect(await world.seenAs('a1', '198.51.100.1', 7000)).toBe('198.51.100.50');
    expect(await world.seenAs('a2', '198.51.100.1', 7000)).toBe('198.51.100.2');
  });

  it('work from inside: other subnet, same subnet, own address, with and without one of its own', async () => {
    expect(await world.seenAs('b1', '198.51.100.50', 7000)).not.toBe('');
    expect(await world.seenAs('a2', '198.51.100.50', 7000)).not.toBe('');
    expect(await world.seenAs('a1', '198.51.100.50', 7000)).toBe('198.51.100.50');
    await appliance.apply(withFips(11, fip('198.51.100.50', '10.1.0.10'), fip('198.51.100.51', '10.1.0.11')));
    expect(await world.seenAs('a2', '198.51.100.50', 7000)).toBe('198.51.100.51');
    expect(await world.seenAs('a1', '198.51.100.51', 7000)).toBe('198.51.100.50');
  });

  it('work from the router itself', async () => {
    expect(await world.pings('r', '198.51.100.50')).toBe(true);
  });

  it('cut old connections when they move, and make no others wait', async () => {
    const server = (host: string) => world.background(host, ['socat', '-u', 'TCP4-LISTEN:7100,reuseaddr', '-']);
    const [first, second] = [await server('a1'), await server('b1')];
    const moving = await world.background('out', ['socat', '-', 'TCP4:198.51.100.50:7100,retry=20,interval=0.1']);
    moving.write('one\n');
    expect(await until(() => first.output().includes('one'), 5_000)).toBe(true);
    const staying = await world.background('out', ['socat', '-u', '-', 'TCP4:198.51.100.51:7000']);
    staying.write('x\n');

    await appliance.apply(withFips(12, fip('198.51.100.50', '10.2.0.10'), fip('198.51.100.51', '10.1.0.11')));
    moving.write('two\n');
    const fresh = await world.background('out', ['socat', '-', 'TCP4:198.51.100.50:7100,retry=20,interval=0.1']);
    fresh.write('three\n');
    expect(await until(() => second.output().includes('three'), 5_000)).toBe(true);
    expect(first.output()).not.toContain('two');
    expect(second.output()).not.toContain('two');
    expect(await world.seenAs('a1', '198.51.100.1', 7000)).toBe('198.51.100.2');
  });

  it('leave nothing when they go', async () => {
    await appliance.apply(withFips(13));
    expect(await world.pings('out', '198.51.100.50')).toBe(false);
    const { stdout } = await world.exec('r', ['nft', 'list', 'map', 'inet', 'astara', 'fip_in']);
    expect(stdout).not.toContain('198.51.100.50');
    expect((await world.netns.addresses()).map(({ cidr }) => cidr)).not.toContain('198.51.100.50/32');
    expect((await world.exec('r', ['conntrack', '-L'])).stdout).not.toContain('198.51.100.50');
  });
});
