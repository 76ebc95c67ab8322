import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { allocation, subnet } from '../../testing/configs.ts';
import { HaWorld, type Member } from '../../testing/ha-world.ts';
import { services } from '../services.ts';

const CLIENT = 'fa:16:3e:00:0a:0a';

/** Everything an appliance does, its firewall among it. */
let two: HaWorld;

function config(member: Member, floating = 1) {
  const base = member.config();
  return {
    ...base,
    floating_ips: Array.from({ length: floating }, (_, index) => ({
      floating_ip: `198.51.100.${50 + index}`,
      fixed_ip: `10.1.0.${10 + index}`,
    })),
    networks: base.networks.map((network) => {
      if (network.network_type !== 'internal') return network;
      return {
        ...network,
        subnets: [
          subnet('10.1.0.0/24', '10.1.0.1', { dhcp_enabled: true, dns_nameservers: [] }),
          subnet('fd01::/64', 'fd01::1', { ipv6_ra_mode: 'slaac' as const }),
        ],
        allocations: [allocation(CLIENT, { '10.1.0.10': true, 'fd01::10': false }, { hostname: 'alpha' })],
      };
    }),
  };
}

beforeAll(async () => {
  two = await HaWorld.create(2, { services });
  await two.world.ip([`-n ${two.world.name('client')} link set eth0 address ${CLIENT}`]);
  for (const member of two.members) await member.apply(config(member));
  expect(await two.becomes(1)).toBe(true);
}, 30_000);

afterAll(() => two?.destroy());

/** MAC and address of everybody who sends such packets while a program of the client's runs; more than one, so as to miss nobody. */
async function senders(filter: string, argv: readonly string[]): Promise<string[]> {
  const capture = await two.world.background('client', ['tcpdump', '-e', '-n', '-l', '-i', 'eth0', filter]);
  await until(() => capture.output().includes('listening'), 5_000);
  const found = () => [...capture.output().matchAll(/^\S+ ([0-9a-f:]{17}) > .*?: (\S+?)(?:\.67)? > /gm)];
  await until(async () => {
    await two.world.exec('client', argv, { timeout: 8_000 });
    return found().length >= 2;
  }, 8_000);
  capture.kill();
  return [...new Set(found().map(([, mac, from]) => `${mac} ${from}`))];
}

const dhcp = ['busybox', 'udhcpc', '-i', 'eth0', '-f', '-n', '-q', '-s', '/bin/true', '-t', '5', '-T', '1'];
const advertisement = 'icmp6 and ip6[40] == 134';

async function macOf(member: number): Promise<string> {
  const links = await two.member(member).home.netns.links();
  return links.find(({ ifname }) => ifname === 'int0')?.mac ?? '';
}

/** Traffic and services are the master's alone. Returns the router's link-local address. */
async function serves(master: number, backup: number): Promise<string> {
  expect(await two.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
  expect(await two.world.eventuallyPings('client', '2001:db8::1')).toBe(true);
  expect(await two.world.eventuallyPings('server', '198.51.100.50')).toBe(true);
  const mac = await macOf(master);
  expect(await senders('udp src port 67', dhcp)).toEqual([`${mac} 10.1.0.1`]);
  const routers = await senders(advertisement, ['rdisc6', '-m', '-w', '1000', 'eth0']);
  expect(routers).toEqual([expect.stringMatching(`^${mac} fe80::`)]);
  expect(await two.member(backup).state()).toBe('BACKUP');
  for (const member of two.members) expect((await member.checks()).filter(({ ok }) => !ok)).toEqual([]);
  return routers[0]?.split(' ')[1] ?? '';
}

describe('with everything else that an appliance does', () => {
  it('the master alone answers DHCP and is the router; after its death the other, with the same link-local address', async () => {
    const before = await serves(1, 2);
    await two.cut(1, 'blackhole');
    expect(await until(async () => (await two.member(2).state()) === 'MASTER', 5_000)).toBe(true);
    await two.member(1).kill('keepalived', 'SIGTERM');
    await two.mend(1);
    expect(await two.becomes(2)).toBe(true);
    expect(await until(async () => (await two.member(1).state()) === 'BACKUP', 5_000)).toBe(true);
    expect(await serves(2, 1)).toBe(before);
  });

  it('a change is applied on both, and the firewall lets members hear each other', async () => {
    for (const member of two.members) await member.apply(config(member, 5));
    expect(await two.becomes(2)).toBe(true);
    expect((await two.member(2).held()).of).toBe(11);
    expect(await until(async () => (await two.member(1).state()) !== 'BACKUP', 1_000)).toBe(false);
  });
});
