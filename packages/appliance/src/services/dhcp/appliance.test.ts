import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';
import { dhcpService } from './service.ts';

/** DHCP and DNS as part of an appliance: behind its firewall, on addresses that it has set. */

const MAC = 'fa:16:3e:00:0a:01';

let world: World;
let appliance: Appliance;
let generation = 0;

function net(letter: 'a' | 'b', index: number) {
  const subnets = [
    subnet(`10.${index}.0.0/24`, `10.${index}.0.1`, { dhcp_enabled: true }),
    subnet(`fd0${index}::/64`, `fd0${index}::1`, { dhcp_enabled: true, ipv6_ra_mode: 'dhcpv6-stateful' }),
  ];
  const allocations = [allocation(MAC, { [`10.${index}.0.10`]: true, [`fd0${index}::10`]: true }, { hostname: 'one' })];
  const addresses = [`10.${index}.0.1/24`, `fd0${index}::1/64`];
  return network('internal', `qr-${letter}`, addresses, { subnets, allocations, dns_forwarders: [] });
}

function apply(...networks: ReturnType<typeof net>[]) {
  generation += 1;
  return appliance.apply(config(networks, { generation }), { check: true });
}

async function dnsmasqs(): Promise<number[]> {
  const all = await world.home.processes();
  return all.filter(({ argv }) => argv[0] === 'dnsmasq').map(({ pid }) => pid);
}

beforeAll(async () => {
  world = await World.create();
  await world.segment('neta', 'qr-a');
  await world.segment('netb', 'qr-b');
  await world.host('a', 'neta', { mac: MAC });
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterAll(async () => {
  try {
    await appliance?.apply(config([], { generation: generation + 1 }));
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

describe('DHCP and DNS of an appliance', () => {
  it('answer its self-check, and hosts, through its firewall', async () => {
    const { checks = [] } = await apply(net('a', 1));
    const ours = checks.filter(({ service }) => service === 'dhcp');
    expect(ours).toHaveLength(4);
    expect(ours.filter(({ ok }) => !ok)).toEqual([]);
    const argv = ['udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '3', '-T', '1', '-s', '/bin/true'];
    expect((await world.exec('a', argv)).stderr).toContain('lease of 10.1.0.10 obtained');
    expect((await appliance.runner(dhcpService).leases()).map((lease) => lease.ip_address)).toEqual(['10.1.0.10']);
  });

  it('of one network go on when another comes and goes', async () => {
    const before = await dnsmasqs();
    expect(before).toHaveLength(2);
    const { checks = [], steps } = await apply(net('a', 1), net('b', 2));
    expect(steps.filter(({ service }) => service === 'dhcp').map(({ what }) => what)).toEqual(['qr-b: on']);
    expect(checks.filter(({ ok, service }) => service === 'dhcp' && !ok)).toEqual([]);
    expect(await dnsmasqs()).toHaveLength(4);
    expect(await dnsmasqs()).toEqual(expect.arrayContaining(before));
    await apply(net('a', 1));
    expect(await dnsmasqs()).toEqual(before);
  });

  it('are seen to differ, and mended, when a file was changed by hand', async () => {
    expect((await appliance.drift()).filter(({ service }) => service === 'dhcp')).toEqual([]);
    const base = `${world.home.runDir}/dnsmasq/qr-a/dhcp/base`;
    await world.exec('a', ['sed', '-i', 's/10.1.0.10/10.1.0.66/', base]);
    const drift = await appliance.audit();
    expect(drift.filter(({ service }) => service === 'dhcp').map(({ what }) => what)).toEqual(['qr-a: as configured']);
    expect((await world.exec('a', ['cat', base])).stdout).toContain('10.1.0.10,');
  });

  it('are left alone by the next agent', async () => {
    const before = await dnsmasqs();
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await dnsmasqs()).toEqual(before);
    const status = (await appliance.status()).find(({ name }) => name === 'dhcp');
    expect(status).toMatchObject({ wanted: true, running: true });
  });

  it('are started again within a second, each alone', async () => {
    const [first, ...others] = await dnsmasqs();
    if (first === undefined) throw new Error('no dnsmasq runs');
    process.kill(first, 'SIGKILL');
    const start = performance.now();
    const back = await until(async () => {
      const now = await dnsmasqs();
      return now.length === 2 && !now.includes(first);
    }, 3_000);
    expect(back).toBe(true);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(await dnsmasqs()).toEqual(expect.arrayContaining(others));
  });
});
