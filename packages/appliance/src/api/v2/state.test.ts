import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { ApiWorld } from '../../testing/api-world.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';

let api: ApiWorld;
const MAC = 'fa:16:3e:00:00:05';

beforeAll(async () => {
  api = await ApiWorld.create({ ext: 'qg-x', neta: 'qr-a' });
  await api.world.host('gateway', 'ext', { addresses: ['198.51.100.1/24', '2001:db8:1::1/64'] });
  await api.world.host('vm', 'neta', { mac: MAC });
});
afterAll(() => api?.close());

const wanted = config(
  [
    network('external', 'qg-x', ['198.51.100.2/24', '2001:db8:1::2/64']),
    network('internal', 'qr-a', ['10.1.0.1/24'], {
      subnets: [subnet('10.1.0.0/24', '10.1.0.1', { dhcp_enabled: true })],
      allocations: [allocation(MAC, { '10.1.0.5': true }, { hostname: 'vm-5' })],
    }),
  ],
  {
    generation: 1,
    default_v4_gateway: '198.51.100.1',
    default_v6_gateway: '2001:db8:1::1',
    floating_ips: [
      { floating_ip: '198.51.100.5', fixed_ip: '10.1.0.5' },
      { floating_ip: '198.51.100.6', fixed_ip: '10.1.0.6' },
    ],
    labels: { outside: ['198.51.100.0/24'] },
  },
);

const put = (more: object = {}) => api.ask('PUT', '/v2/config', { ...wanted, ...more });

describe('the state of an appliance', () => {
  it('tells what it is', async () => {
    const { body } = await api.ask('GET', '/v2/');
    expect(body).toMatchObject({ name: 'astara-appliance', api: ['v1', 'v2'] });
    expect(body.services).toEqual(expect.arrayContaining(['link', 'firewall', 'dhcp']));
    expect(body.capabilities).toContain('confirmed-commit');
  });

  it('is that of nothing before the first configuration', async () => {
    const { body } = await api.ask('GET', '/v2/status');
    expect(body).toMatchObject({ applied: null, pending: null, candidate: null, drift: [] });
    expect(body.reachability).toEqual({ v4: null, v6: null, probes: [] });
    expect((await api.ask('GET', '/v2/stats')).body).toMatchObject({ labels: [], floating_ips: [] });
    expect((await api.ask('GET', '/v2/leases')).body).toEqual({ leases: [] });
  });

  it('has services, interfaces and a way out', async () => {
    expect((await put()).status).toBe(200);
    const { body } = await api.ask('GET', '/v2/status');
    expect(body.applied).toEqual(api.appliance.revision);
    const dhcp = body.services.find(({ name }: { name: string }) => name === 'dhcp');
    expect(dhcp).toMatchObject({ wanted: true, running: true });
    const internal = body.interfaces.find(({ ifname }: { ifname: string }) => ifname === 'qr-a');
    expect(internal).toMatchObject({ network_type: 'internal', mtu: 1450, up: true, running: true, kind: 'veth' });
    expect(internal.addresses).toContain('10.1.0.1/24');
    expect(body.interfaces).toHaveLength(2);
    expect(body.reachability).toMatchObject({ v4: true, v6: true });
    expect(body.reachability.probes).toHaveLength(2);
    expect(body.reachability.probes[0]).toMatchObject({ type: 'gateway', address: '198.51.100.1', ok: true });
    expect(body.drift).toEqual([]);
    const brief = (await api.ask('GET', '/v2/status?reachability=false&drift=false')).body;
    expect(brief).not.toHaveProperty('reachability');
    expect(brief).not.toHaveProperty('drift');
  });

  it('probes what the configuration says', async () => {
    const probes = [
      { type: 'tcp', address: '198.51.100.1', port: 7 },
      { type: 'ping', address: '198.51.100.77' },
      { type: 'ping', address: '2001:db8:1::1' },
    ];
    expect((await put({ generation: 2, probes })).status).toBe(200);
    const listener = await api.world.background('gateway', ['socat', 'TCP4-LISTEN:7,fork,reuseaddr', 'PIPE']);
    const reached = async () => (await api.ask('GET', '/v2/status?drift=false')).body.reachability;
    expect(await until(async () => (await reached()).v4 === true, 3_000)).toBe(true);
    const { v6, probes: results } = await reached();
    expect(v6).toBe(true);
    expect(results.map(({ ok }: { ok: boolean }) => ok)).toEqual([true, false, true]);
    listener.kill();
    expect(await until(async () => (await reached()).v4 === false, 3_000)).toBe(true);
  });

  it('shows what somebody has changed by hand, and mends it', async () => {
    await api.world.exec('r', ['ip', 'addr', 'del', '10.1.0.1/24', 'dev', 'qr-a']);
    const { drift } = (await api.ask('GET', '/v2/status?reachability=false')).body;
    expect(JSON.stringify(drift)).toContain('10.1.0.1');
    const { body } = await api.ask('POST', '/v2/repair');
    expect(body.repaired).toEqual(drift);
    expect((await api.world.exec('r', ['ip', 'addr', 'show', 'qr-a'])).stdout).toContain('10.1.0.1/24');
    expect((await api.ask('POST', '/v2/repair')).body).toEqual({ repaired: [] });
  });

  it('checks itself', async () => {
    const { checks } = (await api.ask('POST', '/v2/check')).body;
    expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
  });

  it('counts', async () => {
    await api.world.ip([
      `-n ${api.world.name('vm')} addr add 10.1.0.5/24 dev eth0`,
      `-n ${api.world.name('vm')} route add default via 10.1.0.1`,
    ]);
    expect(await api.world.eventuallyPings('vm', '198.51.100.1')).toBe(true);
    const { body } = await api.ask('GET', '/v2/stats');
    const internal = body.interfaces.find(({ ifname }: { ifname: string }) => ifname === 'qr-a');
    expect(internal.rx_packets).toBeGreaterThan(0);
    expect(internal.tx_bytes).toBeGreaterThan(0);
    expect(body.conntrack.count).toBeGreaterThan(0);
    expect(body.conntrack.max).toBeGreaterThan(body.conntrack.count);
    const [used, unused] = body.floating_ips;
    expect(used).toMatchObject({ floating_ip: '198.51.100.5' });
    expect(used.packets_out).toBeGreaterThan(0);
    expect(used.bytes_in).toBeGreaterThan(0);
    expect(unused).toMatchObject({ floating_ip: '198.51.100.6', packets_in: 0, packets_out: 0 });
    const [label] = body.labels;
    expect(label.name).toBe('outside');
    expect(label.packets_out).toBeGreaterThan(0);
  });

  it('knows who has which address', async () => {
    const argv = ['busybox', 'udhcpc', '-i', 'eth0', '-f', '-n', '-q', '-s', '/bin/true', '-t', '5', '-T', '1'];
    const client = await api.world.exec('vm', argv);
    expect(client.status, client.stderr).toBe(0);
    const leases = async () => (await api.ask('GET', '/v2/leases')).body.leases;
    expect(await until(async () => (await leases()).length === 1, 2_000)).toBe(true);
    const [lease] = await leases();
    expect(lease).toMatchObject({
      ip_address: '10.1.0.5',
      mac_address: MAC,
      network_id: wanted.networks[1]?.network_id,
    });
    expect(Date.parse(lease.expires_at)).toBeGreaterThan(Date.now());
  });
});
