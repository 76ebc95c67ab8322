import { ROUTE_PROTOCOL } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Applier } from '../../apply/applier.ts';
import type { AnyService } from '../../apply/state.ts';
import { anyLinkConfig, linkPorts } from '../../testing/arbitrary-link.ts';
import { config, network } from '../../testing/configs.ts';
import { adoptWith } from '../../testing/single-service.ts';
import { World } from '../../testing/world.ts';
import { desiredLinks } from './desired.ts';
import { observeLinks } from './observe.ts';
import { linkService } from './service.ts';
import { noLinks } from './state.ts';

/** The link service alone, in a real namespace: what it was asked for is there, and what somebody does by hand is seen and mended. */
let world: World;
let applier: Applier;
let close: () => Promise<void>;

const inNetns = async (...argv: string[]) => {
  const { status, stdout, stderr } = await world.exec('r', argv);
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
};

const details = async () => (await applier.drift()).flatMap(({ detail }) => detail?.() ?? []);

beforeEach(async () => {
  world = await World.create();
  for (const ifname of linkPorts) await world.segment(`b-${ifname}`, ifname);
  ({ applier, close } = await adoptWith(world, linkService as unknown as AnyService));
});

afterEach(async () => {
  await close?.();
  await world?.destroy();
});

const external = network('external', 'qg-0', ['198.51.100.2/24', '2001:db8::2/64']);
const inner = network('internal', 'qr-1', ['10.1.0.1/24', 'fd01::1/64']);
const full: ApplianceConfig = config([external, inner], {
  default_v4_gateway: '198.51.100.1',
  default_v6_gateway: 'fe80::1',
  floating_ips: [{ floating_ip: '203.0.113.5', fixed_ip: '10.1.0.5' }],
  static_routes: [
    { destination: '172.16.0.0/12', nexthop: '10.1.0.8' },
    { destination: '172.16.0.0/12', nexthop: '10.1.0.9', weight: 2 },
    { destination: '2001:db8:5::/48', nexthop: 'fd01::8' },
    { destination: '2001:db8:5::/48', nexthop: 'fd01::9' },
    { destination: '192.0.2.0/24', nexthop: '10.1.0.9' },
  ],
});
const commit = () => undefined;

describe('any configuration after any other', () => {
  it('is what is in the kernel, and undoes itself whole when it is refused', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyLinkConfig, fc.boolean(), async (made, refused) => {
        const before = await inNetns('ip', '-o', 'addr');
        const routesBefore = await routeText();
        if (refused) {
          await expect(
            applier.apply(made, () => {
              throw new Error('disk full');
            }),
          ).rejects.toThrow(/disk full/);
          expect(stable(await inNetns('ip', '-o', 'addr'))).toEqual(stable(before));
          expect(await routeText()).toEqual(routesBefore);
        } else await applier.apply(made, commit);
        expect(await details()).toEqual([]);
      }),
      // Each run begins where the one before it ended, so that a smaller case would be another one.
      { numRuns: 60, endOnFailure: true },
    );
  });

  async function routeText(): Promise<string[]> {
    const routes = await world.netns.routes();
    return routes.map((route) => JSON.stringify(route)).sort();
  }

  /** Without what follows MTU and MAC by itself: link-local addresses of the kernel, scopes, flags. */
  function stable(text: string): string[] {
    const lines = text.split('\n').flatMap((line) => /^\d+: (\S+) +(inet6? \S+)/.exec(line)?.slice(1).join(' ') ?? []);
    return lines.filter((line) => !line.includes('fe80:')).sort();
  }
});

describe('drift by hand', () => {
  beforeEach(async () => {
    await applier.apply(full, commit);
    expect(await details()).toEqual([]);
  });

  const repaired = async () => {
    applier.distrust();
    await applier.apply(full, commit);
    expect(await details()).toEqual([]);
  };

  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['an address that is gone', 'ip addr del 203.0.113.5/32 dev qg-0', /address-add ifname=qg-0 cidr=203.0.113.5\/32/],
    ['an IPv6 address that is gone', 'ip addr del fd01::1/64 dev qr-1', /address-add ifname=qr-1 cidr=fd01::1\/64/],
    ['an address too many', 'ip addr add 10.1.0.77/24 dev qr-1', /address-delete ifname=qr-1 cidr=10.1.0.77\/24/],
    ['a default route that is gone', 'ip route del default', /route-replace destination=0.0.0.0\/0/],
    ['another next hop', 'ip route replace 192.0.2.0/24 via 10.1.0.4', /route-replace destination=192.0.2.0\/24/],
    [
      'a next hop fewer',
      `ip route replace 172.16.0.0/12 via 10.1.0.8 proto ${ROUTE_PROTOCOL}`,
      /route-replace destination=172.16.0.0\/12/,
    ],
    [
      'another weight',
      `ip route replace 172.16.0.0/12 proto ${ROUTE_PROTOCOL} nexthop via 10.1.0.8 weight 9 nexthop via 10.1.0.9 weight 2`,
      /route-replace destination=172.16.0.0\/12/,
    ],
    [
      'a next hop more in IPv6',
      `ip -6 route append 2001:db8:5::/48 via fd01::7 proto ${ROUTE_PROTOCOL}`,
      /route-replace destination=2001:db8:5::\/48/,
    ],
    [
      "somebody else's route of our protocol",
      `ip route add 10.99.0.0/16 via 10.1.0.3 proto ${ROUTE_PROTOCOL}`,
      /route-delete destination=10.99.0.0\/16/,
    ],
    [
      'the same with a metric, to a destination of ours',
      `ip route add 192.0.2.0/24 via 10.1.0.3 metric 50 proto ${ROUTE_PROTOCOL}`,
      /route-delete destination=192.0.2.0\/24 metric=50/,
    ],
    [
      'the same in IPv6',
      `ip route add 2001:db8:99::/48 via fd01::3 metric 7 proto ${ROUTE_PROTOCOL}`,
      /route-delete destination=2001:db8:99::\/48 metric=7/,
    ],
    ['an MTU', 'ip link set qr-1 mtu 1300', /link-set ifname=qr-1 mtu=1450/],
    ['an MTU that takes IPv6 away', 'ip link set qr-1 mtu 1200', /address-add ifname=qr-1 cidr=fd01::1\/64/],
    ['an interface that is down', 'ip link set qr-1 down', /link-set ifname=qr-1 up=true/],
    ['forwarding switched off', 'sysctl -qw net.ipv4.ip_forward=0', /ip_forward = 1 \(was 0\)/],
    [
      'forwarding of one interface',
      'sysctl -qw net.ipv6.conf.qr-1.forwarding=0',
      /ipv6\/conf\/qr-1\/forwarding = 1 \(was 0\)/,
    ],
    ['a source check', 'sysctl -qw net.ipv4.conf.qg-0.rp_filter=0', /qg-0\/rp_filter = 1 \(was 0\)/],
    ['how flows are shared', 'sysctl -qw net.ipv4.fib_multipath_hash_policy=0', /hash_policy = 1 \(was 0\)/],
    ['a proxy', 'ip neigh add proxy 198.51.100.77 dev qg-0', /proxy-delete ifname=qg-0 address=198.51.100.77/],
  ];
  it.each(cases)('%s is seen and mended', async (_what, command, expected) => {
    await inNetns(...command.split(' '));
    expect((await details()).filter((line) => expected.test(line))).not.toEqual([]);
    await repaired();
  });

  it("of others' things is left alone: routes of other protocols, tunnels, what the kernel makes", async () => {
    await inNetns('ip', 'route', 'add', '10.98.0.0/16', 'via', '10.1.0.3', 'proto', 'bird');
    await inNetns('ip', 'tuntap', 'add', 'tun9', 'mode', 'tun');
    await inNetns('ip', 'addr', 'add', '10.97.0.1/24', 'dev', 'tun9');
    await inNetns('ip', 'link', 'set', 'tun9', 'up');
    expect(await details()).toEqual([]);
  });

  it('of an interface that was made anew: it has everything again', async () => {
    await world.ip([`-n ${world.name('r')} link del qr-1`]);
    await world.attach('b-qr-1', 'qr-1');
    const { steps } = await applier.apply(full, commit);
    expect(steps.length).toBeGreaterThan(0);
    expect(await details()).toEqual([]);
  });

  it('by a port that was left over: it is switched off', async () => {
    await world.ip([`-n ${world.name('r')} link set qr-2 up`, `-n ${world.name('r')} addr add 10.1.0.1/24 dev qr-2`]);
    expect(await details()).toEqual(
      expect.arrayContaining(['address-delete ifname=qr-2 cidr=10.1.0.1/24', 'link-set ifname=qr-2 up=false']),
    );
    await repaired();
  });

  it('of other interfaces of a machine, which is not only the appliance, is left alone', async () => {
    await world.ip([`-n ${world.name('r')} link set qr-2 up`, `-n ${world.name('r')} addr add 10.1.0.1/24 dev qr-2`]);
    const { netns } = world;
    const machine = {
      name: null,
      links: () => netns.links(),
      addresses: () => netns.addresses(),
      routes: () => netns.routes(),
      proxies: () => netns.proxies(),
      readSysctl: (keys: readonly string[]) => netns.readSysctl(keys),
    };
    const { interfaces, addresses } = await observeLinks(
      machine,
      noLinks,
      desiredLinks(full, { runDirInside: '', warn: () => undefined }),
    );
    expect([...interfaces.keys()]).toEqual(['qg-0', 'qr-1']);
    expect([...addresses.keys()]).toEqual(['qg-0', 'qr-1']);
  });
});

describe('health', () => {
  it('names the interface that is gone, down or not wired', async () => {
    const health = async () => (await applier.health()).get('link');
    expect(await health()).toEqual({ wanted: false, running: false });
    await applier.apply(full, commit);
    await expect.poll(health).toEqual({ wanted: true, running: true });
    await inNetns('ip', 'link', 'set', 'qr-1', 'down');
    expect(await health()).toEqual({ wanted: true, running: true, error: 'qr-1 is down' });
    await world.ip([`-n ${world.name('sw')} link set qg-0 down`, `-n ${world.name('r')} link del qr-1`]);
    await expect.poll(health).toMatchObject({ error: 'qg-0 has no carrier; qr-1 does not exist' });
  });
});
