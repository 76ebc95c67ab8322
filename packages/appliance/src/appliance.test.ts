import { writeFile } from 'node:fs/promises';
import type { NetOperation } from '@astara/kernel/contract.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Appliance } from './appliance.ts';
import { until } from './processes.ts';
import { allocation, config, network, subnet } from './testing/configs.ts';
import { World } from './testing/world.ts';

let world: World;
let appliance: Appliance;

const external = network('external', 'qg-x', ['198.51.100.2/24']);
const internal = network('internal', 'qr-a', ['10.1.0.1/16', 'fd01::1/64'], {
  subnets: [
    subnet('10.1.0.0/16', '10.1.0.1', { dhcp_enabled: true }),
    subnet('fd01::/64', 'fd01::1', { ipv6_ra_mode: 'slaac' }),
  ],
  allocations: [allocation('fa:16:3e:00:0a:01', { '10.1.0.10': true })],
});
const second = network('internal', 'qr-b', ['10.2.0.1/24'], { subnets: [subnet('10.2.0.0/24', '10.2.0.1')] });

function fips(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    floating_ip: `203.0.${index >> 8}.${index & 255}`,
    fixed_ip: `10.1.${1 + (index >> 8)}.${index & 255}`,
  }));
}

function desired(generation: number, count = 2) {
  return config([external, internal], { generation, default_v4_gateway: '198.51.100.1', floating_ips: fips(count) });
}

/** Everything that the kernel can tell, as text. */
async function worldState(): Promise<string> {
  const parts = await Promise.all([
    world.exec('r', ['nft', 'list', 'ruleset']),
    world.exec('r', ['ip', '-o', 'addr']),
    world.exec('r', ['ip', 'route']),
    world.exec('r', ['ip', '-6', 'route']),
    world.exec('r', ['ip', '-o', 'link']),
  ]);
  return parts
    .map(({ stdout }) =>
      stdout
        // A new interface keeps the MTU and the queue that it was given; nothing goes through it.
        .replace(/(qr-b.*) mtu \d+ qdisc \S+/g, '$1')
        .replace(/ (valid|preferred)_lft \S+/g, '')
        .replace(/^\d+: /gm, '')
        .split('\n')
        .sort()
        .join('\n'),
    )
    .join('\n');
}

async function pids(): Promise<Record<string, number>> {
  return Object.fromEntries((await world.home.processes()).map(({ pid, argv }) => [argv[0], pid]));
}

beforeEach(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  await world.segment('netb', 'qr-b');
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterEach(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

describe('a step that fails', () => {
  it.each(['firewall', 'dhcp', 'commit'])('in %s leaves everything as it was', async (where) => {
    await appliance.apply(desired(1));
    const before = await worldState();
    const processes = await pids();
    const { netns } = world.home;
    const nft = netns.nft.bind(netns);
    const spawn = world.home.spawnDaemon.bind(world.home);
    if (where === 'firewall') netns.nft = () => Promise.reject(new Error('no'));
    if (where === 'dhcp') {
      world.home.spawnDaemon = (argv) => {
        world.home.spawnDaemon = spawn;
        return Promise.reject(new Error(`no ${argv[0]}`));
      };
    }
    if (where === 'commit') await world.exec('r', ['mkdir', `${world.stateFile}.tmp`]);
    const wanted = config([external, { ...internal, dns_domain: 'else.test' }, second], {
      generation: 2,
      floating_ips: fips(5).slice(1),
    });
    const failure = appliance.apply(wanted);
    await expect(failure).rejects.toMatchObject({ code: 'APPLIANCE_APPLY_FAILED', retry: 'retry' });
    netns.nft = nft;
    expect((await appliance.status()).some(({ error }) => error !== undefined)).toBe(true);
    expect(await worldState()).toBe(before);
    expect(appliance.applied).toEqual({ generation: 1, etag: configEtag(desired(1)) });
    expect((await pids()).bird).toBe(processes.bird);
    if (where === 'commit') await world.exec('r', ['rmdir', `${world.stateFile}.tmp`]);
    await appliance.apply(wanted);
    expect(appliance.applied?.generation).toBe(2);
  });

  it('is named when it is a kernel operation, and the earlier ones are undone', async () => {
    await appliance.apply(desired(1));
    const before = await worldState();
    const { netns } = world.home;
    const change = netns.change.bind(netns);
    netns.change = (operations: readonly NetOperation[]) =>
      change(
        operations.map((operation, index) => (index === 5 ? { op: 'link-set', ifname: 'none', up: true } : operation)),
      );
    const wanted = config([external, internal, second], { generation: 2, floating_ips: fips(9) });
    await expect(appliance.apply(wanted)).rejects.toMatchObject({ message: expect.stringContaining('service link') });
    netns.change = change;
    await appliance.repair();
    expect(await worldState()).toBe(before);
  });

  it('is an interface that does not exist', async () => {
    const failure = appliance.apply(config([network('internal', 'qr-none', ['10.9.0.1/24'])], { generation: 1 }));
    await expect(failure).rejects.toMatchObject({ code: 'APPLIANCE_INTERFACE_MISSING' });
    expect(appliance.applied).toBeNull();
  });
});

describe('adoption', () => {
  it('leaves what runs as it should alone', async () => {
    await appliance.apply(desired(1));
    const [before, processes] = [await worldState(), await pids()];
    await appliance.close();
    expect(await worldState()).toBe(before);
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(appliance.applied).toEqual({ generation: 1, etag: configEtag(desired(1)) });
    expect(await worldState()).toBe(before);
    expect(await pids()).toEqual(processes);
    expect(Object.keys(processes).sort()).toEqual(['bird', 'dnsmasq']);
    expect((await appliance.apply(desired(2))).steps).toEqual([]);
  });

  it('repairs what has changed meanwhile', async () => {
    await appliance.apply(desired(1));
    const before = await worldState();
    await appliance.close();
    const dnsmasqs = (await world.home.processes()).filter(({ argv }) => argv[0] === 'dnsmasq');
    process.kill(dnsmasqs[0]?.pid ?? Number.NaN, 'SIGKILL');
    await world.exec('r', ['nft', 'delete', 'element', 'inet', 'astara', 'fip_in', '{ 203.0.0.1 }']);
    await world.exec('r', ['ip', 'addr', 'del', '10.1.0.1/16', 'dev', 'qr-a']);
    await world.exec('r', ['ip', 'addr', 'add', '192.0.2.9/32', 'dev', 'qr-a']);
    await world.exec('r', ['ip', 'route', 'del', 'default']);
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await worldState()).toBe(before);
    const revived = (await world.home.processes()).filter(({ argv }) => argv[0] === 'dnsmasq');
    expect(revived.map(({ argv }) => argv)).toEqual(expect.arrayContaining(dnsmasqs.map(({ argv }) => argv)));
  });

  it('repairs a table that somebody took rules from or deleted', async () => {
    await appliance.apply(desired(1));
    const before = await worldState();
    await world.exec('r', ['nft', 'flush', 'chain', 'inet', 'astara', 'forward']);
    await appliance.repair();
    expect(await worldState()).toBe(before);
    await world.exec('r', ['nft', 'delete', 'table', 'inet', 'astara']);
    await appliance.repair();
    expect(await worldState()).toBe(before);
  });

  it('survives a state file that is not one', async () => {
    await appliance.close();
    await writeFile(world.stateFile, '{"hostname": 1');
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(appliance.applied).toBeNull();
  });
});

describe('changes', () => {
  it('touch one element when one of a thousand floating IPs is added', async () => {
    await appliance.apply(desired(1, 1000));
    const monitor = await world.background('r', ['stdbuf', '-oL', 'nft', 'monitor']);
    let probes = 0;
    const listening = await until(async () => {
      probes += 1;
      await world.exec('r', ['nft', 'add', 'table', 'ip', `probe${probes}`]);
      return monitor.output().includes('probe');
    }, 5_000);
    expect(listening).toBe(true);
    const start = monitor.output().length;
    const report = await appliance.apply(desired(2, 1001));
    await world.exec('r', ['nft', 'add', 'table', 'ip', 'end']);
    expect(await until(() => monitor.output().includes('table ip end'), 5_000)).toBe(true);
    const lines = monitor
      .output()
      .slice(start)
      .split('\n')
      .filter((line) => line.includes('astara'));
    expect(lines).toEqual([
      'add element inet astara fip_in { 203.0.3.232 : 10.1.4.232 }',
      'add element inet astara fip_out { 10.1.4.232 : 203.0.3.232 }',
    ]);
    expect(report.steps.map(({ service }) => service)).toEqual(['link', 'firewall', 'link']);
  });

  it('touch elements only when a network is attached and detached', async () => {
    await appliance.apply(desired(1));
    const handles = async () =>
      (await world.exec('r', ['nft', '-a', 'list', 'table', 'inet', 'astara'])).stdout.match(/handle \d+/g);
    const before = await handles();
    await appliance.apply(config([external, internal, second], { generation: 2 }));
    await appliance.apply(desired(3));
    expect(await handles()).toEqual(before);
  });

  it('follow an interface that was made anew', async () => {
    await appliance.apply(desired(1));
    const before = await worldState();
    await world.ip([`-n ${world.name('r')} link del qr-a`]);
    await world.attach('neta', 'qr-a');
    await appliance.apply(desired(2));
    const strip = (text: string) => text.replace(/link\/ether.*|inet6 fe80.*|fe80.*|@if\d+/g, '');
    expect(strip(await worldState())).toBe(strip(before));
  });

  it('cope with an interface that went before its network', async () => {
    await appliance.apply(config([external, internal, second], { generation: 1 }));
    await world.ip([`-n ${world.name('r')} link del qr-b`]);
    await appliance.apply(desired(2));
    expect(appliance.applied?.generation).toBe(2);
  });

  it('announce new addresses', async () => {
    await world.host('out', 'ext');
    const dump = await world.background('out', ['tcpdump', '-lnei', 'eth0', 'arp']);
    await until(() => dump.output().includes('listening'), 5_000);
    await appliance.apply(desired(1, 1));
    expect(
      await until(() => /(203\.0\.0\.0).*\(?/.test(dump.output()) && dump.output().includes('198.51.100.2'), 5_000),
    ).toBe(true);
  });
});
