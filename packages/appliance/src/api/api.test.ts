import { configEtag } from '@astara/model/appliance/etag.ts';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../appliance.ts';
import { config, network, subnet } from '../testing/configs.ts';
import { World } from '../testing/world.ts';
import { createApi } from './api.ts';

let world: World;
let appliance: Appliance;
let app: FastifyInstance;

const external = network('external', 'qg-x', ['198.51.100.2/24']);
const internal = network('internal', 'qr-a', ['10.1.0.1/24'], { subnets: [subnet('10.1.0.0/24', '10.1.0.1')] });

function put(payload: unknown, headers: Record<string, string> = {}) {
  return app.inject({
    method: 'PUT',
    url: '/v1/system/config',
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
}

beforeAll(async () => {
  world = await World.create();
  await world.segment('ext', 'qg-x');
  await world.segment('neta', 'qr-a');
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
  app = createApi({ resolve: ({ headers }) => (headers.host === 'nobody' ? undefined : appliance) });
});

afterAll(async () => {
  try {
    await app?.close();
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

describe('the API', () => {
  it('has no configuration at first', async () => {
    const answer = await app.inject('/v1/system/config');
    expect(answer.json()).toEqual({ configuration: null });
    expect(answer.headers.etag).toBeUndefined();
  });

  it('puts a configuration in force and says what it took', async () => {
    const wanted = config([external, internal], { generation: 7 });
    const answer = await put(wanted);
    expect(answer.statusCode).toBe(200);
    const etag = configEtag(wanted);
    expect(answer.json()).toMatchObject({ generation: 7, etag, warnings: [], configuration: wanted });
    expect(answer.headers).toMatchObject({ etag: `"${etag}"`, 'astara-generation': '7' });
    expect(answer.headers['server-timing']).toMatch(/^apply;dur=[\d.]+$/);
    expect(answer.headers['astara-steps']).toBe(String(answer.json().changes.length));
    const again = await put(wanted, { prefer: 'return=minimal' });
    expect(again.json()).toEqual({ generation: 7, etag, changes: [], warnings: [] });
    expect((await app.inject('/v1/system/config')).json()).toEqual({ configuration: wanted });
  });

  it('refuses what is older, not JSON, too odd or invalid, and says why', async () => {
    const old = await put(config([external], { generation: 6 }));
    expect(old.statusCode).toBe(409);
    expect(old.json().error.code).toBe('APPLIANCE_GENERATION_OLD');

    const form = await put('a=b', { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.statusCode, form.json().error.code]).toEqual([415, 'APPLIANCE_NOT_JSON']);
    const text = await put('{}', { 'content-type': 'text/plain' });
    expect(text.statusCode).toBe(415);
    const broken = await put('{"hostname":');
    expect([broken.statusCode, broken.json().error.code]).toEqual([400, 'APPLIANCE_BODY_REFUSED']);

    const shape = await put({ ...config([external], { generation: 8 }), hostname: 'no spaces', extra: 1 });
    expect([shape.statusCode, shape.json().error.code]).toEqual([422, 'APPLIANCE_CONFIG_INVALID']);
    expect(shape.json().errors.map(({ field }: { field: string }) => field)).toContain('/hostname');

    const twice = { floating_ip: '203.0.113.5', fixed_ip: '10.1.0.5' };
    const rules = await put(config([external, internal], { generation: 8, floating_ips: [twice, twice] }));
    expect(rules.statusCode).toBe(422);
    expect(rules.json().errors).toEqual([
      { field: '/floating_ips/1/floating_ip', message: '203.0.113.5 is used twice' },
    ]);
    expect(appliance.applied?.generation).toBe(7);
  });

  it('says that a port is missing', async () => {
    const answer = await put(config([network('internal', 'qr-none', [])], { generation: 8 }));
    expect([answer.statusCode, answer.json().error.code]).toEqual([409, 'APPLIANCE_INTERFACE_MISSING']);
  });

  it('shows interfaces, rules, labels and reachability', async () => {
    const { interfaces } = (await app.inject('/v1/system/interfaces')).json();
    expect(interfaces.map(({ ifname }: { ifname: string }) => ifname).sort()).toEqual(['qg-x', 'qr-a']);
    const one = (await app.inject('/v1/system/interface/qr-a')).json();
    expect(one.interface).toMatchObject({ ifname: 'qr-a', mtu: 1450, state: 'up', media: 'veth', groups: [] });
    expect(one.interface.addresses).toContain('10.1.0.1/24');
    expect((await app.inject('/v1/system/interface/none')).statusCode).toBe(404);
    const rules = await app.inject('/v1/firewall/rules');
    expect(rules.headers['content-type']).toMatch(/text\/plain/);
    expect(rules.body).toContain('chain forward');
    expect((await app.inject({ method: 'POST', url: '/v1/firewall/labels' })).json()).toEqual({ labels: [] });
    expect((await app.inject('/v1/status/')).json()).toMatchObject({ v4: false, v6: false });
  });

  it('answers for nobody but those whose socket it is', async () => {
    const answer = await app.inject({ url: '/v1/system/config', headers: { host: 'nobody' } });
    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'APPLIANCE_NOT_FOUND']);
    expect((await app.inject('/v2/')).json().error.code).toBe('APPLIANCE_NOT_FOUND');
  });
});
