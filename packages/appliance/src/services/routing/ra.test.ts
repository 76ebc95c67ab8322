import type { Subnet } from '@astara/model/appliance/network.ts';
import type { RouterAdvertisement } from '@astara/model/appliance/routing.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

const MAC = 'fa:16:3e:00:0a:01';

let world: World;
let appliance: Appliance;
let generation = 0;

function apply(...subnets: Subnet[]) {
  return applyWith({}, ...subnets);
}

function applyWith(router_advertisement: RouterAdvertisement, ...subnets: Subnet[]) {
  generation += 1;
  const addresses = subnets.map(({ cidr, gateway_ip }) => `${gateway_ip}/${cidr.split('/')[1]}`);
  return appliance.apply(
    config(
      [
        network('external', 'qg-x', ['2001:db8:e::2/64'], { subnets: [subnet('2001:db8:e::/64', '2001:db8:e::1')] }),
        network('internal', 'qr-a', addresses, { subnets, router_advertisement }),
      ],
      { generation, default_v6_gateway: '2001:db8:e::1' },
    ),
  );
}

async function birdPid(): Promise<number | undefined> {
  return (await world.home.processes()).find(({ argv }) => argv[0] === 'bird')?.pid;
}

async function addresses(): Promise<string> {
  return (await world.exec('a1', ['ip', '-6', 'addr', 'show', 'dev', 'eth0'])).stdout;
}

/** Of the address that `a1` has made in a prefix; empty when there is none. */
async function addressIn(start: string): Promise<string> {
  return (await addresses()).split('\n').find((line) => line.includes(`inet6 ${start}`)) ?? '';
}

async function defaultRoute(): Promise<string> {
  return (await world.exec('a1', ['ip', '-6', 'route', 'show', 'default'])).stdout;
}

async function heard(): Promise<string> {
  return (await world.exec('a1', ['rdisc6', '-1', '-w', '1000', 'eth0'])).stdout;
}

const slaac = subnet('2001:db8:a::/64', '2001:db8:a::1', { ipv6_ra_mode: 'slaac', dns_nameservers: ['2001:db8::53'] });
const other = subnet('2001:db8:c::/64', '2001:db8:c::1', { ipv6_ra_mode: 'dhcpv6-stateless' });
const silent = subnet('2001:db8:d::/64', '2001:db8:d::1');
const stateful = subnet('2001:db8:b::/64', '2001:db8:b::1', { ipv6_ra_mode: 'dhcpv6-stateful' });

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  await world.host('out', 'ext', { addresses: ['2001:db8:e::1/64'] });
  await world.ip([`-n ${world.name('out')} route add 2001:db8:a::/64 via 2001:db8:e::2`]);
  await world.host('a1', 'neta', { mac: MAC });
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

describe('router advertisements', () => {
  it('give a machine an address and a way out', async () => {
    await apply(slaac);
    expect(await until(async () => (await addresses()).includes('2001:db8:a:0:f816:3eff:fe00:a01'), 10_000)).toBe(true);
    expect(await world.eventuallyPings('a1', '2001:db8:e::1')).toBe(true);
  });

  it('let nobody in from outside, unless the subnet is routed', async () => {
    expect(await world.pings('out', '2001:db8:a:0:f816:3eff:fe00:a01')).toBe(false);
    await apply({ ...slaac, nat: false });
    expect(await world.eventuallyPings('out', '2001:db8:a:0:f816:3eff:fe00:a01')).toBe(true);
    await apply(slaac);
    expect(await world.pings('out', '2001:db8:a:0:f816:3eff:fe00:a01')).toBe(false);
  });

  it('say flags, MTU and name servers, and change without a restart', async () => {
    const pid = await birdPid();
    await apply(slaac, stateful);
    expect(await birdPid()).toBe(pid);
    expect(await until(async () => (await heard()).includes('2001:db8:b::/64'), 10_000)).toBe(true);
    const text = await heard();
    expect(text).toMatch(/Stateful address conf\.\s*:\s*Yes/);
    expect(text).toMatch(/MTU\s*:\s*1450/);
    expect(text).toContain('2001:db8::53');
    expect(await addresses()).not.toContain('2001:db8:b:');
  });

  it('say what they are asked to, and nothing of subnets without an RA mode', async () => {
    const asked = { preference: 'high', max_interval: 200, valid_lifetime: 9000, preferred_lifetime: 8000 } as const;
    await applyWith({ ...asked, search_domains: ['a.example', 'b.example'] }, slaac, silent);
    expect(await until(async () => /Router lifetime\s*:\s*600 /.test(await heard()), 10_000)).toBe(true);
    const text = await heard();
    expect(text).toMatch(/Router preference\s*:\s*high/);
    expect(text).toMatch(/Valid time\s*:\s*9000 /);
    expect(text).toMatch(/Pref\. time\s*:\s*8000 /);
    expect(text).toMatch(/DNS search list\s*:\s*a\.example b\.example/);
    expect(text).not.toContain('2001:db8:d:');
    expect(await until(async () => (await defaultRoute()).includes('pref high'), 5_000)).toBe(true);
  });

  it('tell hosts that a prefix goes, before it has gone', async () => {
    await apply(slaac, other);
    expect(await until(async () => (await addressIn('2001:db8:c:')) !== '', 10_000)).toBe(true);
    await apply(slaac);
    expect(await until(async () => (await addressIn('2001:db8:c:')).includes('deprecated'), 1_000)).toBe(true);
    expect(await addressIn('2001:db8:a:')).not.toContain('deprecated');
    expect(await defaultRoute()).not.toBe('');
    await apply(slaac, other);
    expect(await until(async () => !(await addressIn('2001:db8:c:')).includes('deprecated'), 5_000)).toBe(true);
  });

  it('tell hosts that a network goes, router and all', async () => {
    generation += 1;
    await appliance.apply(config([network('external', 'qg-x', ['2001:db8:e::2/64'])], { generation }));
    expect(await until(async () => (await addressIn('2001:db8:a:')).includes('deprecated'), 1_000)).toBe(true);
    expect(await addressIn('2001:db8:c:')).toContain('deprecated');
    expect(await defaultRoute()).toBe('');
    expect(await birdPid()).toBeUndefined();
    await apply(slaac);
    expect(await until(async () => !(await addressIn('2001:db8:a:')).includes('deprecated'), 5_000)).toBe(true);
    expect(await until(async () => (await defaultRoute()) !== '', 5_000)).toBe(true);
  });

  it('go on when BIRD is killed, and end when nothing needs them', async () => {
    const pid = await birdPid();
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    expect(await until(async () => ![undefined, pid].includes(await birdPid()), 2_000)).toBe(true);
    await apply(subnet('2001:db8:a::/64', '2001:db8:a::1'));
    expect(await birdPid()).toBeUndefined();
  });
});
