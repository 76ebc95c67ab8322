import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { Served } from '../../testing/served.ts';
import { known, unknown } from '../service.ts';

let served: Served;

const alpha = allocation('fa:16:3e:00:0a:01', { '10.1.0.10': true, 'fd01::10': true }, { hostname: 'alpha' });
const beta = allocation('fa:16:3e:00:0a:02', { '10.1.0.11': true }, { hostname: 'beta' });
const bee = allocation('fa:16:3e:00:0b:01', { '10.2.0.10': true }, { hostname: 'bee' });

function netA(allocations = [alpha], more: Partial<Network> = {}) {
  const subnets = [
    subnet('10.1.0.0/24', '10.1.0.1', { dhcp_enabled: true }),
    subnet('fd01::/64', 'fd01::1', { dhcp_enabled: true, ipv6_ra_mode: 'dhcpv6-stateful' }),
  ];
  const ours = { subnets, allocations, dns_domain: 'a.test.', dns_forwarders: [], ...more };
  return network('internal', 'qr-a', ['10.1.0.1/24', 'fd01::1/64'], ours);
}

function netB(more: Partial<Network> = {}) {
  const subnets = [subnet('10.2.0.0/24', '10.2.0.1', { dhcp_enabled: true })];
  return network('internal', 'qr-b', ['10.2.0.1/24'], {
    subnets,
    allocations: [bee],
    dns_domain: 'b.test',
    dns_forwarders: [],
    ...more,
  });
}

function apply(networks: Network[] = [netA(), netB()], more: Partial<ApplianceConfig> = {}) {
  return served.apply(config(networks, more));
}

const pids = async () => {
  const all = ['qr-a', 'qr-b'].flatMap((ifname) => [served.pid(ifname, 'dns'), served.pid(ifname, 'dhcp')]);
  return Promise.all(all);
};
const check = () => served.runner.check(served.state, AbortSignal.timeout(1_000));
const eventually = (host: string, name: string, server: string, answer: string) => {
  return until(async () => (await served.resolve(host, name, server)) === answer, 3_000);
};

beforeAll(async () => {
  served = await Served.create();
  const { world } = served;
  await world.segment('neta', 'qr-a');
  await world.segment('netb', 'qr-b');
  const router = world.name('r');
  await world.ip([
    ...['qr-a', 'qr-b'].map((ifname) => `-n ${router} link set ${ifname} up`),
    `-n ${router} addr add 10.1.0.1/24 dev qr-a`,
    `-n ${router} addr add fd01::1/64 dev qr-a nodad`,
    `-n ${router} addr add 10.2.0.1/24 dev qr-b`,
  ]);
  await world.host('a', 'neta', { addresses: ['10.1.0.10/24', 'fd01::10/64'] });
  await world.host('b', 'netb', { addresses: ['10.2.0.10/24'] });
  await apply();
});

afterAll(() => served?.destroy());

describe('DNS', () => {
  it('knows the names of ports', async () => {
    expect(await served.resolve('a', 'alpha.a.test', '10.1.0.1')).toBe('10.1.0.10');
    expect(await served.resolve('a', 'host-10-1-0-10.a.test', '10.1.0.1')).toBe('10.1.0.10');
    expect(await served.resolve('a', 'alpha.a.test', '[fd01::1]', 'AAAA')).toBe('fd01::10');
    expect(await served.resolve('a', '10.0.1.10.in-addr.arpa', '10.1.0.1', 'PTR')).toBe('alpha.a.test');
  });

  it('learns new names and forgets the names of gone ports', async () => {
    const before = await pids();
    await apply([netA([alpha, beta]), netB()]);
    expect(await eventually('a', 'beta.a.test', '10.1.0.1', '10.1.0.11')).toBe(true);
    await apply([netA([alpha]), netB()]);
    expect(await eventually('a', 'beta.a.test', '10.1.0.1', '')).toBe(true);
    expect(await pids()).toEqual(before);
  });

  it('knows host records, below its domain and elsewhere', async () => {
    const before = await pids();
    const host_records = [
      { name: 'www', addresses: ['10.1.0.80', 'fd01::80'] },
      { name: 'api.example.org.', addresses: ['192.0.2.7'] },
    ];
    await apply([netA([alpha], { host_records }), netB()]);
    expect(await eventually('a', 'www.a.test', '10.1.0.1', '10.1.0.80')).toBe(true);
    expect(await served.resolve('a', 'www.a.test', '10.1.0.1', 'AAAA')).toBe('fd01::80');
    expect(await served.resolve('a', 'api.example.org', '10.1.0.1')).toBe('192.0.2.7');
    expect(await pids()).toEqual(before);
    await apply();
    expect(await eventually('a', 'www.a.test', '10.1.0.1', '')).toBe(true);
  });

  it('tells a network the names of another only when that one shows them', async () => {
    expect(await served.resolve('a', 'bee.b.test', '10.1.0.1')).toBe('');
    await apply([netA(), netB({ dns_visibility: 'appliance' })]);
    expect(await eventually('a', 'bee.b.test', '10.1.0.1', '10.2.0.10')).toBe(true);
    expect(await served.resolve('a', 'bee', '10.1.0.1')).toBe('');
    expect(await served.resolve('b', 'alpha.a.test', '10.2.0.1')).toBe('');
    await apply();
  });

  it('asks the forwarders for the rest, and never for what is its own', async () => {
    await apply([netA(), netB({ dns_forwarders: ['10.1.0.10'] })]);
    const upstream = await served.world.background('a', ['socat', '-u', 'UDP4-RECVFROM:53,fork', '-']);
    const asked = async (name: string, type = 'A') => {
      await served.resolve('b', name, '10.2.0.1', type);
      return upstream.output();
    };
    expect(await until(async () => (await asked('elsewhere.example')).includes('elsewhere'), 10_000)).toBe(true);
    expect(await asked('nobody.b.test')).not.toContain('nobody');
    expect(await asked('99.0.2.10.in-addr.arpa', 'PTR')).not.toContain('in-addr');
    await apply();
    await asked('another.example');
    expect(upstream.output()).not.toContain('another');
    upstream.kill();
  });
});

describe('the self-check', () => {
  it('asks every subnet and resolver, and leases nothing', async () => {
    const before = await served.runner.leases();
    const checks = await check();
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual([
      'DHCPv4 answers for 10.1.0.0/24 on qr-a',
      'DNS on 10.1.0.1 knows alpha.a.test',
      'DNS on fd01::1 knows alpha.a.test',
      'DHCPv6 answers for fd01::/64 on qr-a',
      'DHCPv4 answers for 10.2.0.0/24 on qr-b',
      'DNS on 10.2.0.1 knows bee.b.test',
    ]);
    expect(await served.runner.leases()).toEqual(before);
  });

  it('says who does not answer', async () => {
    const pid = (await served.pid('qr-a', 'dhcp')) ?? Number.NaN;
    process.kill(pid, 'SIGSTOP');
    try {
      const failed = (await check()).filter(({ ok }) => !ok);
      expect(failed).toEqual([
        { name: 'DHCPv4 answers for 10.1.0.0/24 on qr-a', ok: false, detail: 'no answer' },
        { name: 'DHCPv6 answers for fd01::/64 on qr-a', ok: false, detail: 'no answer' },
      ]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect((await check()).filter(({ ok }) => !ok)).toEqual([]);
  });
});

describe('a member of an HA pair that has not the addresses', () => {
  it('is not asked', async () => {
    const router = served.world.name('r');
    await served.world.ip([`-n ${router} addr del 10.2.0.1/24 dev qr-b`]);
    try {
      const checks = await check();
      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.some(({ name }) => name.includes('10.2.0'))).toBe(false);
    } finally {
      await served.world.ip([`-n ${router} addr add 10.2.0.1/24 dev qr-b`]);
    }
    // dnsmasq has noticed the address when it answers there again.
    expect(await until(async () => (await check()).every(({ ok }) => ok), 5_000)).toBe(true);
    expect((await check()).some(({ name }) => name.includes('DHCPv4 answers for 10.2.0.0/24'))).toBe(true);
  });
});

describe('the dnsmasqs of a network', () => {
  it('are not touched by what happens to another network', async () => {
    const before = await pids();
    const steps = await apply([netA()]);
    expect(steps.map(({ what }) => what)).toEqual(['qr-b: off']);
    expect(await pids()).toEqual([...before.slice(0, 2), undefined, undefined]);
    expect((await apply()).map(({ what }) => what)).toEqual(['qr-b: on']);
    expect((await pids()).slice(0, 2)).toEqual(before.slice(0, 2));
    expect((await pids()).every((pid) => pid !== undefined)).toBe(true);
    expect((await check()).filter(({ ok }) => !ok)).toEqual([]);
  });

  it('run as their own user, with what they need and no more', async () => {
    const status = async (role: 'dns' | 'dhcp') => {
      const { stdout } = await served.world.exec('a', ['cat', `/proc/${await served.pid('qr-a', role)}/status`]);
      const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(stdout)?.[1];
      return { uids: new Set(field('Uid')?.split('\t')), bounding: BigInt(`0x${field('CapBnd')}`) };
    };
    for (const role of ['dns', 'dhcp'] as const) expect((await status(role)).uids.has('0')).toBe(false);
    expect((await status('dns')).bounding).toBe(1n << 10n);
    expect((await status('dhcp')).bounding).toBe((1n << 10n) | (1n << 12n) | (1n << 13n));
  });

  it('are started again within a second when killed, each alone, and keep their leases', async () => {
    await served.world.exec('b', ['ip', 'link', 'set', 'eth0', 'address', 'fa:16:3e:00:0b:01']);
    expect(await served.lease('b')).toMatchObject({ ip: '10.2.0.10' });
    const leases = await served.runner.leases();
    expect(leases.map(({ ip_address }) => ip_address)).toEqual(['10.2.0.10']);
    const before = await pids();
    const start = performance.now();
    process.kill(before[3] ?? Number.NaN, 'SIGKILL');
    const revived = await until(async () => {
      const now = await served.pid('qr-b', 'dhcp');
      return now !== undefined && now !== before[3] && (await check()).every(({ ok }) => ok);
    }, 3_000);
    expect(revived).toBe(true);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect((await pids()).slice(0, 3)).toEqual(before.slice(0, 3));
    expect(await served.runner.leases()).toEqual(leases);
    expect(await served.lease('b')).toMatchObject({ ip: '10.2.0.10' });
  });

  it('are told of in their health', async () => {
    const { wanted, running, detail } = await served.runner.health(served.state);
    expect({ wanted, running }).toEqual({ wanted: true, running: true });
    expect(detail).toMatchObject({
      networks: [
        { ifname: 'qr-a', dns: { running: true, names: 2 }, dhcp: { running: true, hosts: 1, leases: 0 } },
        { ifname: 'qr-b', dns: { running: true, names: 1 }, dhcp: { running: true, hosts: 1, leases: 1 } },
      ],
    });
  });

  it('are left alone by the next agent, and mended where they differ', async () => {
    const before = await pids();
    await served.runner.release();
    served.runner = served.open();
    await served.runner.adopt(served.state);
    const look = () => served.runner.observe(served.state, undefined);
    expect(await served.apply(config([netA(), netB()]), await look())).toEqual([]);
    // Somebody has changed a file, and told dnsmasq.
    const base = `${served.world.home.runDir}/dnsmasq/qr-a/dns/base`;
    await served.world.exec('a', ['sed', '-i', 's/alpha/omega/g', base]);
    process.kill(before[0] ?? Number.NaN, 'SIGHUP');
    expect(await eventually('a', 'omega.a.test', '10.1.0.1', '10.1.0.10')).toBe(true);
    const steps = await served.apply(config([netA(), netB()]), await look());
    expect(steps.map(({ what }) => what)).toEqual(['qr-a: as configured']);
    expect(await eventually('a', 'alpha.a.test', '10.1.0.1', '10.1.0.10')).toBe(true);
    expect(await pids()).toEqual(before);
  });

  it('are made anew with their interface', async () => {
    const { world } = served;
    const router = world.name('r');
    await world.ip([`-n ${router} link del qr-b`]);
    await world.attach('netb', 'qr-b');
    await world.ip([`-n ${router} link set qr-b up`, `-n ${router} addr add 10.2.0.1/24 dev qr-b`]);
    const state = served.compile(config([netA(), netB()]));
    const found = await served.runner.observe(state, served.state);
    await served.apply(config([netA(), netB()]), found);
    expect(await served.lease('b')).toMatchObject({ ip: '10.2.0.10' });
  });

  it('are ended with everything they left when nothing needs them, also by an agent that knows nothing', async () => {
    await served.runner.release();
    served.runner = served.open();
    await served.runner.adopt(undefined);
    expect(await pids()).toEqual([undefined, undefined, undefined, undefined]);
    const { stdout } = await served.world.exec('a', ['ls', served.world.home.runDir]);
    expect(stdout).not.toContain('dnsmasq');
    await served.apply(config([netA(), netB()]), unknown);
    expect((await check()).filter(({ ok }) => !ok)).toEqual([]);
    await served.apply(config([]), known(served.state));
    expect(await pids()).toEqual([undefined, undefined, undefined, undefined]);
  });
});
