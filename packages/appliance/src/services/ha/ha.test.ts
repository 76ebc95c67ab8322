import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { afterEach, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { network } from '../../testing/configs.ts';
import { HaWorld, type MemberOptions } from '../../testing/ha-world.ts';

let lab: HaWorld | undefined;

afterEach(async () => {
  await lab?.destroy();
  lab = undefined;
});

async function create(count: number, options: MemberOptions = {}): Promise<HaWorld> {
  lab = await HaWorld.create(count, options);
  await lab.settle();
  return lab;
}

function floating(count: number): ApplianceConfig['floating_ips'] {
  return Array.from({ length: count }, (_, index) => ({
    floating_ip: `100.64.${index >> 8}.${index & 255}`,
    fixed_ip: '10.1.0.10',
  }));
}

it('one member has all addresses and routes, the other has none and no route to the outside', async () => {
  const two = await create(2);
  expect(await two.becomes(1)).toBe(true);
  expect(await two.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
  expect(await two.world.eventuallyPings('client', '2001:db8::1')).toBe(true);
  expect(await Promise.all(two.members.map((member) => member.state()))).toEqual(['MASTER', 'BACKUP']);
  for (const member of two.members) {
    expect((await member.checks()).filter(({ ok }) => !ok)).toEqual([]);
    expect(member.events.at(-1)).toMatchObject({ event: 'ha', state: await member.state() });
  }
  for (const version of ['-4', '-6']) {
    expect((await two.on(1, ['ip', version, 'route', 'show', 'default'])).stdout).toContain('dev ext0');
    expect((await two.on(2, ['ip', version, 'route', 'show', 'default'])).stdout).toBe('');
  }
  // Without a link-local address nothing can advertise a router.
  expect((await two.on(2, ['ip', '-6', 'addr', 'show', 'dev', 'int0'])).stdout).toBe('');
});

it('what a member has and may not have is seen by the check, and taken away when it has just started', async () => {
  const two = await create(2);
  const backup = two.member(2);
  const take = () => backup.home.netns.change([{ op: 'address-add', ifname: 'int0', cidr: '10.1.0.1/24' }]);
  await take();
  expect(await until(async () => (await backup.held()).held === 0, 5_000)).toBe(true);
  await take();
  expect((await backup.checks()).filter(({ ok }) => !ok)).toMatchObject([{ detail: 'BACKUP, 1 of 7 held' }]);
});

it('what somebody has taken away by hand is seen and mended', async () => {
  const two = await create(2);
  const master = two.member(1);
  expect(await master.drift()).toEqual([]);
  // Addresses it watches itself.
  await two.on(1, ['ip', 'addr', 'del', '10.1.0.1/24', 'dev', 'int0']);
  expect(await two.becomes(1)).toBe(true);
  await two.on(1, ['ip', 'route', 'del', 'default']);
  expect(await master.drift()).toEqual(['ha: member of router 51']);
  master.distrust();
  await master.apply();
  expect(await until(async () => (await master.drift()).length === 0, 5_000)).toBe(true);
  expect(await two.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
});

it('a floating IP comes and goes without a change of state', async () => {
  const two = await create(2);
  const ping = await two.watch('198.51.100.1');
  const before = two.members.map(({ events }) => events.length);
  for (const member of two.members) await member.apply(member.config({ floating_ips: floating(3) }));
  expect(await two.becomes(1)).toBe(true);
  expect((await two.member(1).held()).of).toBe(9);
  expect((await two.on(1, ['ip', 'addr', 'show', 'dev', 'ext0'])).stdout).not.toContain('198.51.100.50');
  expect(two.members.map(({ events }) => events.length)).toEqual(before);
  expect(ping.stop()).toBeLessThan(200);
});

it('members whose configurations differ for a moment still understand each other', async () => {
  const two = await create(2);
  await two.member(1).apply(two.member(1).config({ floating_ips: floating(20) }));
  // Several times what a silent master is given.
  expect(await until(async () => (await two.member(2).state()) !== 'BACKUP', 1_500)).toBe(false);
  expect(await two.becomes(1)).toBe(true);
});

it('a network less: the master gives its interface up before that goes down, and stays master', async () => {
  const two = await create(2);
  const more = (member: { config: () => ApplianceConfig }): ApplianceConfig => {
    const all = member.config();
    return {
      ...all,
      networks: all.networks.filter(({ network_type }) => network_type !== 'external'),
      default_v4_gateway: null,
      default_v6_gateway: null,
      floating_ips: [],
    };
  };
  const before = two.member(1).events.length;
  for (const member of two.members) await member.apply(more(member));
  expect(await two.becomes(1)).toBe(true);
  expect(two.member(1).events.length).toBe(before);
  for (const member of two.members) await member.apply();
  expect(await two.becomes(1)).toBe(true);
  expect(await two.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
});

it('without ha the last member goes on as a router that is alone, and no packet is lost', async () => {
  const two = await create(2);
  await two.member(2).stopAgent();
  await two.member(2).kill('keepalived', 'SIGTERM');
  const ping = await two.watch('198.51.100.1');
  const { ha: _, ...alone } = two.member(1).config();
  await two.member(1).apply(alone);
  expect(await two.member(1).pids('keepalived')).toEqual([]);
  expect(await two.member(1).pids('conntrackd')).toEqual([]);
  const addresses = (await two.on(1, ['ip', 'addr'])).stdout;
  for (const address of ['10.1.0.1/24', 'fd01::1/64', '198.51.100.50/32']) expect(addresses).toContain(address);
  expect(addresses).not.toContain('169.254.0.51');
  expect(ping.stop()).toBeLessThan(200);
});

it('an interface that is not there is a clear error, and nothing is started', async () => {
  lab = await HaWorld.create(1);
  const member = lab.member(1);
  const gone = network('internal', 'int0', ['10.1.0.1/24']);
  const wanted = member.config();
  await expect(
    member.apply({ ...wanted, networks: [gone, network('management', 'none0', ['10.9.0.1/24'])] }),
  ).rejects.toMatchObject({
    code: 'APPLIANCE_INTERFACE_MISSING',
  });
  expect(await member.pids('keepalived')).toEqual([]);
});
