import type { FirewallGroup, FirewallRule } from '@astara/model/appliance/firewall.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { routerConfig, routerWorld } from '../../testing/router-world.ts';
import { ask, serve } from '../../testing/traffic.ts';
import type { World } from '../../testing/world.ts';
import { desiredFirewall } from './desired.ts';
import { planScript } from './plan.ts';

let world: World;
let appliance: Appliance;

beforeAll(async () => {
  world = await routerWorld();
  for (const host of ['out', 'a1', 'b1']) await serve(world, host, 'TCP', [7000, 7001]);
  for (const host of ['a1', 'b1']) await serve(world, host, 'UDP', [7000]);
  await serve(world, 'r', 'TCP', [22, 179, 5000, 7000]);
  await serve(world, 'r', 'UDP', [500]);
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
  await appliance.apply(routerConfig());
  await world.eventuallyPings('a1', '2001:db8:1::1');
}, 30_000);

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

/** Which of these `[host, address, port]` are answered. */
async function answered(
  questions: readonly (readonly [string, string, number, ('TCP' | 'UDP')?])[],
): Promise<boolean[]> {
  const answers = questions.map(([host, address, port, transport = 'TCP']) =>
    ask(world, host, address, port, { transport }),
  );
  return (await Promise.all(answers)).map((answer) => answer !== '');
}

function group(more: Partial<FirewallGroup>): FirewallGroup {
  return { id: 'f1', interfaces: ['qr-a'], ingress_rules: [], egress_rules: [], ...more };
}
const allow = (more: Partial<FirewallRule> = {}): FirewallRule => ({ action: 'allow', ...more });

describe('a firewall group', () => {
  it('lets nothing through without rules, and leaves other interfaces alone', async () => {
    await appliance.apply(routerConfig({ firewall_groups: [group({})] }));
    expect(
      await answered([
        ['a1', '198.51.100.1', 7000],
        ['a1', '2001:db8:1::1', 7000],
        ['b1', '10.1.0.10', 7000],
        ['b1', 'fd01::10', 7000],
        ['b1', '198.51.100.1', 7000],
        ['b1', '2001:db8:1::1', 7000],
      ]),
    ).toEqual([false, false, false, false, true, true]);
  });

  it('has ingress for what enters the network behind the port, egress for what leaves it; answers pass', async () => {
    const ingress_rules = [
      allow({ ip_version: 4, protocol: 'tcp', destination_port: '7000' }),
      allow({ ip_version: 6, protocol: 'icmp' }),
    ];
    await appliance.apply(routerConfig({ firewall_groups: [group({ ingress_rules })] }));
    expect(
      await answered([
        ['b1', '10.1.0.10', 7000],
        ['b1', '10.1.0.10', 7001],
        ['b1', 'fd01::10', 7000],
        ['b1', '10.1.0.10', 7000, 'UDP'],
        ['a1', '10.2.0.10', 7000],
      ]),
    ).toEqual([true, false, false, false, false]);
    expect(await world.pings('b1', 'fd01::10')).toBe(true);
    expect(await world.pings('b1', '10.1.0.10')).toBe(false);

    const egress_rules = [
      allow({ source_ip_address: '10.1.0.10/32' }),
      allow({ source_ip_address: 'fd01::/64', protocol: 'tcp' }),
    ];
    await appliance.apply(routerConfig({ firewall_groups: [group({ egress_rules })] }));
    expect(
      await answered([
        ['a1', '10.2.0.10', 7000],
        ['a1', '198.51.100.1', 7000],
        ['a2', '198.51.100.1', 7000],
        ['a2', '2001:db8:1::1', 7000],
        ['b1', '10.1.0.10', 7000],
      ]),
    ).toEqual([true, true, false, true, false]);
  });

  it('asks its rules in order, and tells who is rejected', async () => {
    const ingress_rules: FirewallRule[] = [
      { action: 'reject', protocol: 'tcp', destination_port: '7001' },
      { action: 'deny', source_ip_address: '10.2.0.0/24', protocol: 'udp', enabled: false },
      { action: 'deny', protocol: 'tcp', destination_port: '7000:7000', ip_version: 6 },
      allow(),
    ];
    await appliance.apply(routerConfig({ firewall_groups: [group({ ingress_rules })] }));
    expect(
      await answered([
        ['b1', '10.1.0.10', 7000],
        ['b1', '10.1.0.10', 7000, 'UDP'],
        ['b1', 'fd01::10', 7000],
      ]),
    ).toEqual([true, true, false]);
    for (const target of ['TCP4:10.1.0.10:7001', 'TCP6:[fd01::10]:7001']) {
      expect((await world.exec('b1', ['socat', '-', `${target},connect-timeout=1`])).stderr).toMatch(/refused/i);
    }
  });

  it('sees floating IPs as the host behind them', async () => {
    const ingress_rules = [
      allow({ destination_ip_address: '10.1.0.10/32', protocol: 'tcp', destination_port: '7000' }),
    ];
    const floating_ips = [{ floating_ip: '198.51.100.50', fixed_ip: '10.1.0.10' }];
    await appliance.apply(routerConfig({ floating_ips, firewall_groups: [group({ ingress_rules })] }));
    await world.exec('out', ['ping', '-c', '1', '-W', '1', '198.51.100.50']);
    expect(
      await answered([
        ['out', '198.51.100.50', 7000],
        ['out', '198.51.100.50', 7001],
      ]),
    ).toEqual([true, false]);
  });

  it.each([4, 6])('ends what it no longer allows, and nothing else (IPv%i)', async (version) => {
    const address = version === 4 ? '10.1.0.10' : '[fd01::10]';
    const ports = [4100 + version, 4200 + version];
    for (const port of ports) {
      await world.background('a1', ['socat', `TCP${version}-LISTEN:${port},reuseaddr`, 'EXEC:cat']);
    }
    await appliance.apply(routerConfig({ firewall_groups: [group({ ingress_rules: [allow()] })] }));
    const connect = (port: number) =>
      world.background('b1', ['socat', '-', `TCP${version}:${address}:${port},retry=20,interval=0.1`]);
    const [gone, kept] = [await connect(ports[0] ?? 0), await connect(ports[1] ?? 0)];
    for (const client of [gone, kept]) client.write('one\n');
    expect(await until(() => [gone, kept].every((client) => client.output().includes('one')), 5_000)).toBe(true);
    const tracked = async () => (await world.exec('r', ['conntrack', '-L', '-f', `ipv${version}`, '-p', 'tcp'])).stdout;
    const ingress_rules = [allow({ protocol: 'tcp', destination_port: String(ports[1]) })];
    await appliance.apply(routerConfig({ firewall_groups: [group({ ingress_rules })] }));
    expect(await tracked()).not.toContain(`dport=${ports[0]}`);
    expect(await tracked()).toContain(`dport=${ports[1]}`);
    for (const client of [gone, kept]) client.write('two\n');
    expect(await until(() => kept.output().includes('two'), 5_000)).toBe(true);
    expect(gone.output()).not.toContain('two');
  });

  it('lets nothing through when it is down', async () => {
    const down = group({ admin_state_up: false, ingress_rules: [allow()], egress_rules: [allow()] });
    await appliance.apply(routerConfig({ firewall_groups: [down] }));
    expect(
      await answered([
        ['b1', '10.1.0.10', 7000],
        ['a1', '2001:db8:1::1', 7000],
      ]),
    ).toEqual([false, false]);
  });
});

describe('anchors', () => {
  it('pass and block what is forwarded; the first rule that matches decides', async () => {
    await appliance.apply(
      routerConfig({
        address_book: { servers: ['10.1.0.10/32', 'fd01::10/128', '10.1.0.0/28'], nobody: [] },
        anchors: [
          {
            name: 'first',
            rules: [
              { action: 'block', source: 'nobody' },
              { action: 'pass', interface: 'qr-b', destination: 'servers', protocol: 'tcp', destination_port: '7000' },
              { action: 'block', destination: 'servers' },
            ],
          },
          {
            name: 'second:odd.name',
            rules: [
              {
                action: 'pass',
                interface: 'qg-x',
                destination: '10.2.0.10/32',
                protocol: 'tcp',
                destination_port: '7000:7001',
              },
              { action: 'block', direction: 'out', interface: 'qg-x', family: 'inet6' },
            ],
          },
        ],
      }),
    );
    expect(
      await answered([
        ['b1', '10.1.0.10', 7000],
        ['b1', 'fd01::10', 7000],
        ['b1', '10.1.0.10', 7001],
        ['out', '10.2.0.10', 7001],
        ['out', '10.1.0.10', 7000],
        ['out', 'fd01::10', 7000],
        ['a1', '198.51.100.1', 7000],
        ['a1', '2001:db8:1::1', 7000],
      ]),
    ).toEqual([true, true, false, true, false, false, true, false]);
  });

  it('redirect, unless a rule before says otherwise', async () => {
    const redirect = { action: 'pass', interface: 'qg-x', protocol: 'tcp', destination: '198.51.100.2/32' } as const;
    await appliance.apply(
      routerConfig({
        anchors: [
          {
            name: 'redirects',
            rules: [
              { action: 'block', interface: 'qg-x', protocol: 'tcp', destination_port: '8081' },
              { ...redirect, destination_port: '8080:8089', redirect: '10.1.0.10', redirect_port: 7000 },
              { ...redirect, destination: '2001:db8:1::2/128', destination_port: '7001', redirect: 'fd02::10' },
            ],
          },
        ],
      }),
    );
    expect(await ask(world, 'out', '198.51.100.2', 8080)).toBe('198.51.100.1 7000');
    expect(await ask(world, 'out', '198.51.100.2', 8081)).toBe('');
    expect(await ask(world, 'out', '2001:db8:1::2', 7001)).toBe('2001:db8:1::1 7001');
  });
});

describe('the appliance', () => {
  it('takes no packet from an internal network with a source that is not there', async () => {
    await world.ip([
      `-n ${world.name('a1')} addr add 192.168.77.7/32 dev lo`,
      `-n ${world.name('a1')} -6 addr add fd77::7/128 dev lo nodad`,
      `-n ${world.name('out')} route add 192.168.77.0/24 via 198.51.100.2`,
    ]);
    await appliance.apply(routerConfig());
    const spoofed = () =>
      Promise.all([
        world.exec('a1', ['ping', '-n', '-c', '1', '-W', '1', '-I', '192.168.77.7', '10.2.0.10']),
        world.exec('a1', ['ping', '-n', '-c', '1', '-W', '1', '-I', '192.168.77.7', '10.1.0.1']),
        world.exec('a1', ['ping', '-n', '-c', '1', '-W', '1', '-I', 'fd77::7', 'fd01::1']),
      ]);
    expect((await spoofed()).map(({ status }) => status)).toEqual([1, 1, 1]);
    // It is there when a route says so.
    const static_routes = [
      { destination: '192.168.77.0/24', nexthop: '10.1.0.10' },
      { destination: 'fd77::/64', nexthop: 'fd01::10' },
    ];
    await appliance.apply(routerConfig({ static_routes }));
    expect((await spoofed()).map(({ status }) => status)).toEqual([0, 0, 0]);
    await appliance.apply(routerConfig());
  });

  it('is reached on its management address from the management network alone', async () => {
    const reached = await answered([
      ['m1', '192.0.2.1', 5000],
      ['m1', 'fd0a::1', 5000],
      ['m1', '192.0.2.1', 22],
      ['m1', '192.0.2.1', 7000],
      ['a1', '192.0.2.1', 5000],
      ['a1', 'fd0a::1', 5000],
      ['out', '192.0.2.1', 5000],
      ['a1', '10.1.0.1', 5000],
      ['a1', '192.0.2.10', 5000],
      ['m1', '10.1.0.10', 7000],
    ]);
    expect(reached).toEqual([true, true, true, false, false, false, false, false, false, false]);
    const pings = await Promise.all([
      world.pings('m1', '192.0.2.1'),
      world.pings('a1', '192.0.2.1'),
      world.pings('a1', 'fd0a::1'),
      world.pings('out', '192.0.2.1'),
      world.pings('m1', '10.1.0.10'),
      world.pings('m1', 'fd01::10'),
    ]);
    expect(pings).toEqual([true, false, false, false, false, false]);
  });

  it('leads nobody to the management network, whatever a tenant asks for', async () => {
    await appliance.apply(
      routerConfig({
        floating_ips: [{ floating_ip: '198.51.100.50', fixed_ip: '192.0.2.1' }],
        port_forwardings: [
          {
            floating_ip: '198.51.100.51',
            protocol: 'tcp',
            external_port: 80,
            internal_ip: '192.0.2.1',
            internal_port: 5000,
          },
        ],
        anchors: [
          {
            name: 'open',
            rules: [
              { action: 'pass' },
              { action: 'pass', protocol: 'tcp', redirect: '192.0.2.1', destination_port: '4444' },
            ],
          },
        ],
      }),
    );
    expect(
      await answered([
        ['out', '198.51.100.50', 5000],
        ['a1', '198.51.100.50', 5000],
        ['a1', '198.51.100.51', 80],
        ['a1', '10.2.0.10', 4444],
        ['a1', '192.0.2.10', 7000],
        ['a1', '192.0.2.1', 5000],
      ]),
    ).toEqual([false, false, false, false, false, false]);
    await appliance.apply(routerConfig());
  });

  it('is open to the peers of its own services', async () => {
    const asked = () =>
      answered([
        ['out', '198.51.100.2', 179],
        ['out', '2001:db8:1::2', 179],
        ['a1', '10.1.0.1', 179],
        ['out', '198.51.100.2', 500, 'UDP'],
        ['a1', '10.1.0.1', 500, 'UDP'],
      ]);
    expect(await asked()).toEqual([false, false, false, false, false]);
    const policy = { auth_algorithm: 'sha256', encryption_algorithm: 'aes-256', pfs: 'group14' } as const;
    const desired = routerConfig({
      bgp: { asn: 65_000, neighbors: ['198.51.100.1', '2001:db8:1::1'].map((address) => ({ address, asn: 65_001 })) },
      vpn: {
        connections: [
          {
            id: 'e1',
            local_address: '198.51.100.2',
            peer_address: '198.51.100.1',
            peer_id: '198.51.100.1',
            psk: 'not a secret',
            initiator: 'response-only',
            local_cidrs: ['10.1.0.0/24'],
            peer_cidrs: ['10.9.0.0/24'],
            ike_policy: { ...policy, ike_version: 'v2' },
            ipsec_policy: { ...policy, transform_protocol: 'esp', encapsulation_mode: 'tunnel' },
          },
        ],
      },
    });
    // Without the daemons, whose ports our servers have.
    const [before, after] = [routerConfig(), desired].map((each) => desiredFirewall(each, { warn: () => undefined }));
    if (before !== undefined && after !== undefined) await world.netns.nft(planScript(before, after));
    expect(await asked()).toEqual([true, true, false, true, false]);
    await appliance.repair();
    expect(await asked()).toEqual([false, false, false, false, false]);
  });
});
