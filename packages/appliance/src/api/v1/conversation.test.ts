import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InterfaceView2016 } from '@astara/model/appliance/api/v1-answers.ts';
import { MASK } from '@astara/model/appliance/secret.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { ApiWorld } from '../../testing/api-world.ts';

let api: ApiWorld;

beforeAll(async () => {
  api = await ApiWorld.create({ mgt: 'eth0', ext: 'eth1', blue: 'eth2' });
  await api.world.host('gateway', 'ext', { addresses: ['203.0.113.1/24', '2001:db8:feed:1::1/64'] });
  await api.world.host('vm', 'blue', { addresses: ['192.168.8.2/24'], gateway: '192.168.8.1' });
});
afterAll(() => api?.close());

const fixture = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../test-fixtures/v1', `${name}.json`), 'utf8');

async function shown(argv: string[]): Promise<string> {
  return (await api.world.exec('r', argv)).stdout;
}

async function runs(service: string): Promise<boolean> {
  const all = await api.appliance.status();
  return all.some(({ name, wanted, running }) => name === service && wanted && running);
}

/** What the orchestrator of 2016 (`astara/api/astara_client.py`) asked, and how: it knows nothing of what came later. */
const client = {
  isAlive: async () => (await api.ask('GET', '/v1/firewall/rules')).status === 200,
  interfaces: async (): Promise<InterfaceView2016[]> => (await api.ask('GET', '/v1/system/interfaces')).body.interfaces,
  update: (body: string) => api.ask('PUT', '/v1/system/config', body, { 'content-type': 'application/json' }),
  labels: async () => (await api.ask('POST', '/v1/firewall/labels', undefined, { 'content-length': '0' })).body.labels,
};

describe('an orchestrator of 2016', () => {
  it('sees that the appliance is alive before it has a configuration', async () => {
    expect(await client.isAlive()).toBe(true);
    const rules = await api.ask('GET', '/v1/firewall/rules');
    expect(rules.headers['content-type']).toMatch(/^text\/plain/);
    expect(rules.text).toContain('table inet astara');
    expect((await api.ask('GET', '/v1/base/')).text).toBe('Astara appliance API service is active');
    expect((await api.ask('GET', '/v1/status/')).body).toEqual({ v4: false, v6: false });
    expect((await api.ask('GET', '/v1/system/config')).body).toEqual({
      configuration: {
        address_book: {},
        anchors: [],
        networks: [],
        services: { router: null },
        static_routes: [],
        system: { hostname: null, interfaces: [], management_address: null, tenant_id: null },
        vpn: [],
      },
    });
  });

  it('finds its ports by their MACs, and ge0 is the management interface', async () => {
    const interfaces = await client.interfaces();
    expect(interfaces.map(({ ifname }) => ifname)).toEqual(['ge0', 'ge1', 'ge2']);
    const links = await api.world.netns.links();
    const macs = ['eth0', 'eth1', 'eth2'].map((name) => links.find(({ ifname }) => ifname === name)?.mac);
    expect(interfaces.map(({ lladdr }) => lladdr)).toEqual(macs);
    const one = await api.ask('GET', '/v1/system/interface/ge2');
    expect(one.body.interface).toEqual(interfaces[2]);
    expect((await api.ask('GET', '/v1/system/interface/ge3')).status).toBe(404);
    expect((await api.ask('GET', '/v1/system/interface/eth0')).status).toBe(404);
  });

  it('configures a router, whose packets flow', async () => {
    const answer = await client.update(fixture('router'));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.configuration.system).toMatchObject({
      tenant_id: '6f2d0c8f3a154b7f9f5d3d3c2f4c8a10',
      management_address: 'fdca:3ba5:a17a:acda:f816:3eff:fe10:1',
    });
    expect(answer.body.configuration.networks[2]).toMatchObject({
      network_type: 'internal',
      interface: { ifname: 'ge2' },
    });
    expect(answer.body.configuration.services.router.networks).toEqual(answer.body.configuration.networks);
    const external = (await client.interfaces())[1];
    expect(external?.addresses).toEqual(expect.arrayContaining(['203.0.113.10/24', '2001:db8:feed:1::10/64']));
    expect(external).toMatchObject({ ifname: 'ge1', mtu: 1500, state: 'up' });

    expect(await api.world.eventuallyPings('vm', '203.0.113.1')).toBe(true);
    expect(await api.world.eventuallyPings('gateway', '203.0.113.20')).toBe(true);
    expect((await api.ask('GET', '/v1/status/')).body).toEqual({ v4: true, v6: true });
    expect(await client.isAlive()).toBe(true);
  });

  it('reads traffic labels, which begin anew', async () => {
    expect(await api.world.pings('vm', '203.0.113.1')).toBe(true);
    const labels = await client.labels();
    const external = labels.find(({ name }: { name: string }) => name === 'external');
    expect(external.packets_in).toBeGreaterThan(0);
    expect(external.packets_out).toBeGreaterThan(0);
    expect(external.total_bytes).toBe(external.bytes_in + external.bytes_out);
    const again = (await client.labels()).find(({ name }: { name: string }) => name === 'external');
    expect(again.total_packets).toBe(0);
  });

  /** What is to be seen in the appliance afterwards. */
  const kinds: [string, () => Promise<boolean>][] = [
    ['router-without-gateway', async () => (await shown(['ip', 'addr', 'show', 'eth1'])).includes(' 192.168.8.1/24')],
    [
      'router-with-rules',
      async () => /tcp dport 23.*drop/.test(await shown(['nft', 'list', 'table', 'inet', 'astara'])),
    ],
    ['router-vpn', () => runs('vpn')],
    // Its peer is not there: it becomes the master, and has the router's addresses.
    [
      'router-ha',
      async () => (await runs('ha')) && (await shown(['ip', 'addr', 'show', 'eth2'])).includes(' 192.168.8.1/'),
    ],
    ['router', async () => !(await runs('ha')) && !(await runs('vpn')) && (await runs('dhcp'))],
  ];

  it.each(kinds)('configures %s', async (name, seen) => {
    const answer = await client.update(fixture(name));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).not.toContain('not so secret');
    expect(await client.isAlive()).toBe(true);
    expect(await until(seen, 8_000)).toBe(true);
  });

  it('never sees a secret', async () => {
    expect((await client.update(fixture('router-vpn'))).status).toBe(200);
    const { body, text } = await api.ask('GET', '/v1/system/config');
    expect(body.configuration.vpn[0].psk).toBe(MASK);
    expect(text).not.toContain('not so secret');
    expect((await client.update(fixture('router'))).status).toBe(200);
  });

  it('is refused as it was then', async () => {
    const { etag } = api.appliance.applied ?? {};
    const text = await api.ask('PUT', '/v1/system/config', 'plain text', { 'content-type': 'text/plain' });
    expect([text.status, text.body.error.code]).toEqual([415, 'APPLIANCE_NOT_JSON']);
    const malformed = await client.update(JSON.stringify({ networks: [{}] }));
    expect([malformed.status, malformed.body.error.code]).toEqual([422, 'APPLIANCE_CONFIG_INVALID']);
    const balancer = await client.update(fixture('loadbalancer'));
    expect([balancer.status, balancer.body.error.code]).toEqual([400, 'APPLIANCE_SERVICE_UNKNOWN']);
    expect(balancer.text).toContain('loadbalancer');

    const body = JSON.parse(fixture('router'));
    const surplus = await client.update(JSON.stringify({ ...body, surplus: 1 }));
    expect([surplus.status, surplus.body.error.field]).toEqual([422, '/surplus']);
    const absent = { ...body.networks[2], interface: { ifname: 'ge7', addresses: [] } };
    const unplugged = await client.update(JSON.stringify({ ...body, networks: [...body.networks, absent] }));
    expect([unplugged.status, unplugged.body.error.field]).toEqual([422, '/networks/3/interface/ifname']);
    const twice = { ...body, floating_ips: [...body.floating_ips, ...body.floating_ips] };
    const doubled = await client.update(JSON.stringify(twice));
    expect([doubled.status, doubled.body.error.field]).toEqual([422, '/floating_ips/1/floating_ip']);
    expect((await client.update(JSON.stringify(api.appliance.config()))).status).toBe(422);
    expect(api.appliance.applied?.etag).toBe(etag);
  });

  it('can take over from one of today', async () => {
    const config = api.appliance.config();
    const today = await api.ask('PUT', '/v2/config?check=false', { ...config, generation: 41, floating_ips: [] });
    expect(today.status, today.text).toBe(200);
    expect((await client.update(fixture('router'))).status).toBe(200);
    expect(api.appliance.applied?.generation).toBe(41);
    expect(api.appliance.config()?.floating_ips).toHaveLength(1);
  });
});
