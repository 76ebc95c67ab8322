import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { VpnConnection } from '@astara/model/appliance/vpn.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

/** Two whole appliances, firewall and all. A is 1, B is 2, in every address. */
let worlds: [World, World];
let appliances: [Appliance, Appliance];
let generation = 0;

async function world(number: number): Promise<World> {
  const made = await World.create();
  await made.segment('ext', 'qg-x');
  await made.segment('net', 'qr-a');
  await made.host('h', 'net', { addresses: [`10.${number}.0.10/24`, `fd0${number}::10/64`] });
  await made.ip([
    `-n ${made.name('h')} route add default via 10.${number}.0.1`,
    `-n ${made.name('h')} -6 route add default via fd0${number}::1`,
  ]);
  return made;
}

function connection(from: number, to: number, version: 4 | 6): VpnConnection {
  const outer = (site: number) => (version === 4 ? `198.51.100.${site}` : `2001:db8:e::${site}`);
  const inner = (site: number) => (version === 4 ? `10.${site}.0.0/24` : `fd0${site}::/64`);
  return {
    id: `c-${version}`,
    local_address: outer(from),
    peer_address: outer(to),
    peer_id: outer(to),
    psk: 'between us',
    initiator: 'bi-directional',
    local_cidrs: [inner(from)],
    peer_cidrs: [inner(to)],
    mtu: 1300,
    ike_policy: { ike_version: 'v2', auth_algorithm: 'sha256', encryption_algorithm: 'aes-128', pfs: 'group14' },
    ipsec_policy: {
      transform_protocol: 'esp',
      encapsulation_mode: 'tunnel',
      auth_algorithm: 'sha256',
      encryption_algorithm: 'aes-128',
      pfs: 'group14',
    },
  };
}

function configuration(from: number, connections: VpnConnection[], more: Partial<ApplianceConfig> = {}) {
  generation += 1;
  return config(
    [
      network('external', 'qg-x', [`198.51.100.${from}/24`, `2001:db8:e::${from}/64`], {
        subnets: [subnet('198.51.100.0/24', '198.51.100.254'), subnet('2001:db8:e::/64', '2001:db8:e::fe')],
      }),
      network('internal', 'qr-a', [`10.${from}.0.1/24`, `fd0${from}::1/64`], {
        subnets: [subnet(`10.${from}.0.0/24`, `10.${from}.0.1`), subnet(`fd0${from}::/64`, `fd0${from}::1`)],
      }),
    ],
    {
      generation,
      default_v4_gateway: '198.51.100.254',
      default_v6_gateway: '2001:db8:e::fe',
      vpn: { connections },
      ...more,
    },
  );
}

const both = (from: number, to: number) => [connection(from, to, 4), connection(from, to, 6)];

beforeAll(async () => {
  worlds = [await world(1), await world(2)];
  const [left, right] = worlds.map((made) => made.name('sw'));
  // `gw` is everybody else's gateway, and sees what should not be there.
  await worlds[0].host('gw', 'ext', { addresses: ['198.51.100.254/24', '2001:db8:e::fe/64'] });
  await worlds[0].ip([
    `link add to2 netns ${left} type veth peer name to1 netns ${right}`,
    `-n ${left} link set to2 master ext up`,
    `-n ${right} link set to1 master ext up`,
  ]);
  const adopt = (made: World) => Appliance.adopt(made.home, { stateFile: made.stateFile });
  appliances = [await adopt(worlds[0]), await adopt(worlds[1])];
});

afterAll(async () => {
  for (const appliance of appliances ?? []) await appliance.close();
  for (const made of worlds ?? []) await made.destroy();
});

async function tunnels(appliance: Appliance): Promise<string[]> {
  const found = (await appliance.status()).find(({ name }) => name === 'vpn') as
    | { readonly detail?: { readonly connections: readonly { readonly status: string }[] } }
    | undefined;
  return found?.detail?.connections.map(({ status }) => status) ?? [];
}

describe('two appliances with tunnels', () => {
  it('let their networks talk, untranslated and both ways, of both versions', async () => {
    const [a, b] = appliances;
    // With floating IPs and source NAT in the way.
    await b.apply(
      configuration(2, both(2, 1), { floating_ips: [{ floating_ip: '198.51.100.22', fixed_ip: '10.2.0.10' }] }),
    );
    const fip = [{ floating_ip: '198.51.100.11', fixed_ip: '10.1.0.10' }];
    const report = await a.apply(configuration(1, both(1, 2), { floating_ips: fip }), { check: true });
    expect(report.warnings).toEqual([]);
    expect(report.checks?.filter(({ ok, service }) => !ok && service === 'vpn')).toEqual([]);
    expect(report.steps.filter(({ service }) => service === 'vpn')).toHaveLength(1);
    expect(await until(async () => (await tunnels(a)).join() === 'up,up', 8_000)).toBe(true);

    const [left, right] = worlds;
    for (const [from, to, site] of [
      [left, right, 2],
      [right, left, 1],
    ] as const) {
      expect(await from.eventuallyPings('h', `10.${site}.0.10`)).toBe(true);
      expect(await from.eventuallyPings('h', `fd0${site}::10`)).toBe(true);
      await to.tellPeer('h', 7000 + site);
      expect(await from.seenAs('h', `10.${site}.0.10`, 7000 + site)).toBe(`10.${3 - site}.0.10`);
    }
    // The gateways themselves can be reached from the other side.
    expect(await left.pings('h', '10.2.0.1')).toBe(true);
    // Elsewhere packets go as before.
    expect(await left.pings('h', '198.51.100.254')).toBe(true);
  });

  it('carry bulk in segments that fit', async () => {
    const [left, right] = worlds;
    await right.background('h', ['socat', '-u', 'TCP4-LISTEN:7100,reuseaddr', 'SYSTEM:wc -c']);
    await until(async () => (await right.exec('h', ['ss', '-Hltn', 'sport = :7100'])).stdout !== '', 5_000);
    const capture = await left.background('h', [
      'tcpdump',
      '-nn',
      '-l',
      '--immediate-mode',
      '-i',
      'eth0',
      'tcp[13] & 2 != 0',
    ]);
    await until(() => capture.output().includes('listening on'), 5_000);
    const sent = await left.exec('h', [
      'sh',
      '-c',
      'head -c 5000000 /dev/zero | socat -u - TCP4:10.2.0.10:7100,connect-timeout=3',
    ]);
    expect(sent).toMatchObject({ status: 0, stderr: '' });
    // What the peer says it takes: our mtu less 40.
    expect(await until(() => /Flags \[S\.\].*mss 1260/.test(capture.output()), 2_000)).toBe(true);
  });

  it('let nothing out that belongs into a tunnel while there is none, and nobody else in', async () => {
    const [left] = worlds;
    const capture = await left.background('gw', [
      'tcpdump',
      '-nn',
      '-l',
      '--immediate-mode',
      '-i',
      'eth0',
      'icmp or icmp6',
    ]);
    await until(() => capture.output().includes('listening on'), 5_000);
    const ping = await left.background('h', ['ping', '-n', '-q', '-i', '0.05', '-w', '3', '10.2.0.10']);
    await appliances[1].apply(configuration(2, []));
    expect(await until(async () => !(await tunnels(appliances[0])).includes('up'), 3_000)).toBe(true);
    await ping.exited;
    expect(ping.output()).not.toContain(' 0% packet loss');
    expect(await left.pings('h', '10.2.0.10')).toBe(false);
    expect(await left.pings('h', 'fd02::10')).toBe(false);
    // Somebody outside with an address of the peer's network.
    await left.ip([
      `-n ${left.name('gw')} addr add 10.2.0.99/24 dev eth0`,
      `-n ${left.name('gw')} route add 10.1.0.0/24 via 198.51.100.1`,
    ]);
    expect(await left.pings('gw', '10.1.0.10')).toBe(false);
    expect(await left.pings('h', '198.51.100.254')).toBe(true);
    const leaked = () => / > 10\.2\.0\.10:| > fd02::10:/.test(capture.output());
    expect(capture.output()).toContain('198.51.100.254');
    expect(leaked()).toBe(false);
    // It is the seal that keeps it in.
    await left.netns.nft('flush set inet astara sealed_if\n');
    expect(await left.pings('h', '10.2.0.10')).toBe(false);
    expect(await until(leaked, 2_000)).toBe(true);
    expect((await appliances[0].drift()).map(({ service }) => service)).toEqual(['firewall']);
    await appliances[0].repair();
  });

  it('is as it was after an apply that fails elsewhere, and tells a dry run what it would do', async () => {
    const [a] = appliances;
    await appliances[1].apply(configuration(2, both(2, 1)));
    expect(await until(async () => (await tunnels(a)).join() === 'up,up', 15_000)).toBe(true);
    const dry = await a.plan(configuration(1, [connection(1, 2, 4)]));
    const steps = dry.steps.filter(({ service }) => service === 'vpn');
    expect(steps.map(({ what }) => what)).toEqual(['1 change of connections']);
    const text = steps[0]?.detail?.().join('\n');
    expect(text).toMatch(/^unload c-6_[0-9a-f]{8}$/);
    expect(JSON.stringify(dry)).not.toContain('between us');
    expect(await tunnels(a)).toEqual(['up', 'up']);
    expect(await a.drift()).toEqual([]);
  });
});
