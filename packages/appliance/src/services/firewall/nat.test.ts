import type { PortForwarding } from '@astara/model/appliance/nat.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { routerConfig, routerWorld } from '../../testing/router-world.ts';
import { ask, serve } from '../../testing/traffic.ts';
import type { World } from '../../testing/world.ts';

let world: World;
let appliance: Appliance;

beforeAll(async () => {
  world = await routerWorld();
  const more = Array.from({ length: 16 }, (_, index) => `10.2.0.${100 + index}/24`);
  await world.ip(more.map((cidr) => `-n ${world.name('b1')} addr add ${cidr} dev eth0`));
  await serve(world, 'out', 'TCP', [7000]);
  await serve(world, 'a1', 'TCP', [7000, 7001, 7002]);
  await serve(world, 'a1', 'UDP', [7000]);
  await serve(world, 'a2', 'TCP', [7000]);
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
}, 30_000);

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

const OUTER = '198.51.100.60';

function forwarding(
  protocol: PortForwarding['protocol'],
  external: readonly [number, number?],
  internal_ip: string,
  internal: readonly [number, number?],
): PortForwarding {
  return {
    floating_ip: OUTER,
    protocol,
    external_port: external[0],
    ...(external[1] === undefined ? {} : { external_port_end: external[1] }),
    internal_ip,
    internal_port: internal[0],
    ...(internal[1] === undefined ? {} : { internal_port_end: internal[1] }),
  };
}

describe('port forwardings', () => {
  const all = [
    forwarding('tcp', [80], '10.1.0.10', [7000]),
    forwarding('udp', [80], '10.1.0.10', [7000]),
    forwarding('tcp', [81], '10.1.0.11', [7000]),
    forwarding('tcp', [7001, 7002], '10.1.0.10', [7001, 7002]),
    forwarding('tcp', [9000, 9002], '10.1.0.10', [7000, 7002]),
    forwarding('tcp', [9100, 9109], '10.1.0.11', [7000]),
  ];

  it('lead to a port of a host, several on one address, with the client seen', async () => {
    const report = await appliance.apply(routerConfig({ port_forwardings: all }));
    expect(report.warnings).toEqual([]);
    await world.eventuallyPings('out', '198.51.100.2');
    const answers = await Promise.all([
      ask(world, 'out', OUTER, 80),
      ask(world, 'out', OUTER, 80, { transport: 'UDP' }),
      ask(world, 'out', OUTER, 81),
      ask(world, 'out', OUTER, 7001),
      ask(world, 'out', OUTER, 7002),
      ask(world, 'out', OUTER, 9002),
      ask(world, 'out', OUTER, 9107),
      ask(world, 'out', OUTER, 82),
      ask(world, 'out', OUTER, 81, { transport: 'UDP' }),
    ]);
    const client = (port: number) => `198.51.100.1 ${port}`;
    expect(answers).toEqual([...[7000, 7000, 7000, 7001, 7002, 7002, 7000].map(client), '', '']);
  });

  it('work from inside, from the host itself and from the router', async () => {
    const answers = await Promise.all(['b1', 'a2', 'a1', 'r'].map((host) => ask(world, host, OUTER, 80)));
    for (const answer of answers) expect(answer).toMatch(/^\S+ 7000$/);
  });

  it('leave their hosts with the address of the router', async () => {
    expect(await ask(world, 'a1', '198.51.100.1', 7000)).toBe('198.51.100.2 7000');
  });

  it('end their connections when they go, and no others', async () => {
    for (const port of [4001, 4002]) {
      await world.background('a1', ['socat', `TCP4-LISTEN:${port},reuseaddr`, 'EXEC:cat']);
    }
    const both = [forwarding('tcp', [4001], '10.1.0.10', [4001]), forwarding('tcp', [4002], '10.1.0.10', [4002])];
    await appliance.apply(routerConfig({ port_forwardings: both }));
    const connect = (port: number) =>
      world.background('out', ['socat', '-', `TCP4:${OUTER}:${port},retry=20,interval=0.1`]);
    const [gone, kept] = [await connect(4001), await connect(4002)];
    for (const client of [gone, kept]) client.write('one\n');
    expect(await until(() => [gone, kept].every((client) => client.output().includes('one')), 5_000)).toBe(true);
    const report = await appliance.apply(routerConfig({ port_forwardings: both.slice(1) }));
    expect(report.steps).toContainEqual(expect.objectContaining({ service: 'firewall', what: 'connections' }));
    for (const client of [gone, kept]) client.write('two\n');
    expect(await until(() => kept.output().includes('two'), 5_000)).toBe(true);
    expect(gone.output()).not.toContain('two');
    const tracked = (await world.exec('r', ['conntrack', '-L'])).stdout;
    expect(tracked).toContain('dport=4002');
    expect(tracked).not.toContain('dport=4001');
  });

  it('take their address along', async () => {
    await appliance.apply(routerConfig());
    expect((await world.netns.addresses()).map(({ cidr }) => cidr)).not.toContain(`${OUTER}/32`);
    expect(await world.pings('out', OUTER)).toBe(false);
  });
});

describe('source NAT with several addresses', () => {
  const addresses = ['198.51.100.70', '198.51.100.71', '198.51.100.72'];
  const sources = Array.from({ length: 16 }, (_, index) => `10.2.0.${100 + index}`);
  const seen = async () => {
    const answers = sources.map((source) => ask(world, 'b1', '198.51.100.1', 7000, { source }));
    return (await Promise.all(answers)).map((text) => text.split(' ')[0] ?? '');
  };

  it('shares them out by source, and keeps to it', async () => {
    await appliance.apply(routerConfig({ snat_addresses: addresses }));
    const first = await seen();
    expect([...new Set(first)].sort()).toEqual(addresses);
    expect(await seen()).toEqual(first);
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await seen()).toEqual(first);
  });

  it('ends the connections of an address that goes, and no others', async () => {
    await world.background('out', ['socat', 'TCP4-LISTEN:4010,reuseaddr,fork', 'EXEC:cat']);
    const before = await seen();
    const clients = await Promise.all(
      sources.map((source) =>
        world.background('b1', ['socat', '-', `TCP4:198.51.100.1:4010,bind=${source},retry=20,interval=0.1`]),
      ),
    );
    for (const client of clients) client.write('one\n');
    expect(await until(() => clients.every((client) => client.output().includes('one')), 5_000)).toBe(true);
    await appliance.apply(routerConfig({ snat_addresses: addresses.slice(0, 2) }));
    for (const client of clients) client.write('two\n');
    const kept = clients.filter((_, index) => before[index] !== addresses[2]);
    const gone = clients.filter((_, index) => before[index] === addresses[2]);
    expect([kept.length > 0, gone.length > 0]).toEqual([true, true]);
    expect(await until(() => kept.every((client) => client.output().includes('two')), 5_000)).toBe(true);
    for (const client of gone) expect(client.output()).not.toContain('two');
  });

  it('is off when it is said to be', async () => {
    await appliance.apply(routerConfig({ snat: false, snat_addresses: addresses }));
    expect(await ask(world, 'b1', '198.51.100.1', 7000)).toBe('10.2.0.10 7000');
    // What leaves untranslated is found from outside, as in Neutron; with NAT nobody gets in.
    expect(await ask(world, 'out', '10.1.0.10', 7000)).toBe('198.51.100.1 7000');
    await appliance.apply(routerConfig());
    expect(await ask(world, 'out', '10.1.0.10', 7000)).toBe('');
    await appliance.apply(routerConfig({ snat: false, snat_addresses: addresses }));
    expect((await world.netns.addresses()).map(({ cidr }) => cidr)).not.toContain(`${addresses[0]}/32`);
  });
});

describe('the router', () => {
  it('clamps the segment size to what fits both ways', async () => {
    // The router's interfaces have an MTU of 1450, the hosts' of 1500: a SYN that was not clamped says 1460 or 1440.
    const rule = (family: string, size: number) =>
      `meta nfproto ${family} tcp option maxseg size ${size} counter comment "${family}"\n`;
    await world.exec('out', ['nft', '-f', '-'], {
      input: `table inet mss {\n chain in {\n type filter hook input priority 0;\n ${rule('ipv4', 1410)} ${rule('ipv6', 1390)} }\n}\n`,
    });
    await appliance.apply(routerConfig());
    const answers = ['198.51.100.1', '2001:db8:1::1'].map((address) => ask(world, 'a1', address, 7000));
    expect(await Promise.all(answers)).toEqual(['198.51.100.2 7000', 'fd01::10 7000']);
    const listing = (await world.exec('out', ['nft', 'list', 'chain', 'inet', 'mss', 'in'])).stdout;
    expect(listing.match(/counter packets [1-9]\d* /g)).toHaveLength(2);
  });
});
