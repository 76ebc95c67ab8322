import { configEtag } from '@astara/model/appliance/etag.ts';
import { MASK } from '@astara/model/appliance/secret.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { ApiWorld } from '../../testing/api-world.ts';
import { config, network, subnet } from '../../testing/configs.ts';

let api: ApiWorld;

beforeAll(async () => {
  api = await ApiWorld.create({ ext: 'qg-x', neta: 'qr-a' });
});
afterAll(() => api?.close());
afterEach(async () => {
  if (api.appliance.pending !== undefined) await api.appliance.confirm();
  await api.ask('DELETE', '/v2/config/candidate');
});

const external = network('external', 'qg-x', ['198.51.100.2/24']);
const internal = network('internal', 'qr-a', ['10.1.0.1/24'], { subnets: [subnet('10.1.0.0/24', '10.1.0.1')] });
let generation = 0;

/** Configurations that differ in a floating IP; each is newer than those before. */
function wanted(floating_ip: string, more = {}) {
  generation += 1;
  return config([external, internal], { generation, floating_ips: [{ floating_ip, fixed_ip: '10.1.0.5' }], ...more });
}

/** Whether the router has this address: what of a configuration really is in force. */
async function has(address: string): Promise<boolean> {
  return (await api.world.exec('r', ['ip', '-o', 'addr', 'show', 'dev', 'qg-x'])).stdout.includes(` ${address}/`);
}

const A = '203.0.113.5';
const B = '203.0.113.6';

describe('a configuration', () => {
  it('is none at first', async () => {
    const answer = await api.ask('GET', '/v2/config');
    expect(answer.body).toEqual({ applied: null, pending: null, configuration: null });
    expect(answer.headers.etag).toBeUndefined();
    expect((await api.ask('GET', '/v2/config/candidate')).status).toBe(404);
    expect((await api.ask('POST', '/v2/config/commit')).status).toBe(404);
    expect((await api.ask('POST', '/v2/config/rollback')).status).toBe(404);
    expect((await api.ask('PUT', '/v2/config', wanted(A), { 'if-match': '*' })).status).toBe(412);
  });

  it('comes into force, and what that took is told', async () => {
    const asked = wanted(A);
    const answer = await api.ask('PUT', '/v2/config', asked);
    expect(answer.status, answer.text).toBe(200);
    const etag = configEtag(asked);
    expect(answer.body).toMatchObject({ generation: asked.generation, etag });
    expect(answer.body.changes.length).toBeGreaterThan(1);
    expect(answer.body.checks).toBeInstanceOf(Array);
    expect(answer.headers).toMatchObject({
      etag: `"${etag}"`,
      'astara-generation': String(asked.generation),
      'astara-steps': String(answer.body.changes.length),
    });
    expect(answer.headers['server-timing']).toMatch(/^apply;dur=[\d.]+$/);
    expect(await has(A)).toBe(true);

    const again = await api.ask('PUT', '/v2/config?check=false', asked, { prefer: 'return=representation' });
    expect(again.body).toMatchObject({ changes: [], configuration: asked });
    expect(again.body).not.toHaveProperty('checks');
    expect(again.headers['preference-applied']).toBe('return=representation');
    const read = await api.ask('GET', '/v2/config');
    expect(read.body).toMatchObject({ applied: { generation: asked.generation, etag }, configuration: asked });
    expect(read.headers.etag).toBe(`"${etag}"`);
  });

  it('is refused when it is older, or when another is in force than the sender believes', async () => {
    const { etag } = (await api.ask('GET', '/v2/config')).headers;
    const old = await api.ask('PUT', '/v2/config', { ...wanted(B), generation: 0 });
    expect([old.status, old.body.error.code]).toEqual([409, 'APPLIANCE_GENERATION_OLD']);
    const dry = await api.ask('PUT', '/v2/config?dry_run=true', { ...wanted(B), generation: 0 });
    expect(dry.status).toBe(409);
    const zeros = `"${'0'.repeat(64)}"`;
    for (const path of ['/v2/config', '/v2/config?dry_run=true', '/v2/config?stage=true']) {
      const other = await api.ask('PUT', path, wanted(B), { 'if-match': zeros });
      expect([other.status, other.body.error.code], path).toEqual([412, 'APPLIANCE_ETAG_MISMATCH']);
    }
    expect((await api.ask('PUT', '/v2/config', wanted(B), { 'if-match': `W/${etag}` })).status).toBe(412);
    expect((await api.ask('PUT', '/v2/config', wanted(B), { 'if-match': 'etag' })).status).toBe(400);
    expect([await has(A), await has(B)]).toEqual([true, false]);

    for (const given of [String(etag), '*']) {
      expect((await api.ask('PUT', '/v2/config', wanted(A), { 'if-match': given })).status, given).toBe(200);
    }
    const missing = await api.ask('PUT', '/v2/config', {
      ...wanted(B),
      networks: [network('internal', 'qr-none', [])],
    });
    expect([missing.status, missing.body.error.code]).toEqual([409, 'APPLIANCE_INTERFACE_MISSING']);
  });

  it('is that of one sender when several have read the same', async () => {
    const { etag = '' } = (await api.ask('GET', '/v2/config')).headers;
    const senders = Array.from({ length: 5 }, (_, index) => wanted(`203.0.113.1${index}`));
    const headers = { 'if-match': String(etag) };
    const answers = await Promise.all(senders.map((asked) => api.ask('PUT', '/v2/config?check=false', asked, headers)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412]);
    expect((await api.ask('PUT', '/v2/config', wanted(A))).status).toBe(200);
  });

  it('is tried without touching anything', async () => {
    const asked = wanted(B);
    const { body } = await api.ask('PUT', '/v2/config?dry_run', asked);
    expect(body).toMatchObject({ generation: asked.generation, etag: configEtag(asked) });
    expect(body.plan.map(({ service }: { service: string }) => service)).toContain('link');
    expect(JSON.stringify(body.plan)).toContain(B);
    expect([await has(A), await has(B)]).toEqual([true, false]);
    expect((await api.ask('GET', '/v2/config/candidate')).status).toBe(404);
  });

  it('is put aside, looked at and committed', async () => {
    const asked = wanted(B);
    const staged = await api.ask('PUT', '/v2/config?stage=true', asked);
    expect(staged.body.plan.length).toBeGreaterThan(0);
    expect((await api.ask('GET', '/v2/config/candidate')).body).toEqual({
      candidate: { generation: asked.generation, etag: configEtag(asked) },
      configuration: asked,
    });
    expect(await has(B)).toBe(false);
    const committed = await api.ask('POST', '/v2/config/commit');
    expect(committed.body).toMatchObject({ etag: configEtag(asked) });
    expect([await has(A), await has(B)]).toEqual([false, true]);
    expect((await api.ask('GET', '/v2/config/candidate')).status).toBe(404);
  });

  it('is given up when nobody confirms it in time', async () => {
    const before = configEtag(wanted(B));
    const asked = wanted(A);
    const { body } = await api.ask('PUT', '/v2/config?confirm=1&check=false', asked);
    expect(body.pending).toMatchObject({ etag: configEtag(asked), previous: { etag: before } });
    expect(Date.parse(body.pending.confirm_by) - Date.now()).toBeLessThanOrEqual(1_000);
    expect(await has(A)).toBe(true);
    expect((await api.ask('GET', '/v2/config')).body.pending).toEqual(body.pending);
    expect(await until(() => has(B), 5_000)).toBe(true);
    expect(await until(async () => (await api.ask('GET', '/v2/config')).body.applied.etag === before, 1_000)).toBe(
      true,
    );
    expect((await api.ask('POST', '/v2/config/confirm')).status).toBe(409);
  });

  it('stays when it is confirmed, and goes when it is cancelled', async () => {
    const kept = wanted(A);
    await api.ask('PUT', '/v2/config?confirm=600', kept);
    const confirmed = await api.ask('POST', '/v2/config/confirm');
    expect(confirmed.body.applied.etag).toBe(configEtag(kept));
    expect(api.appliance.pending).toBeUndefined();

    await api.ask('PUT', '/v2/config?confirm=600', wanted(B));
    expect(await has(B)).toBe(true);
    const cancelled = await api.ask('POST', '/v2/config/cancel');
    expect(cancelled.body.applied.etag).toBe(configEtag(kept));
    expect([await has(A), await has(B)]).toEqual([true, false]);
    expect((await api.ask('POST', '/v2/config/cancel')).status).toBe(409);
  });

  it('can be had back', async () => {
    const newer = wanted(B);
    await api.ask('PUT', '/v2/config', newer);
    const { history, applied } = (await api.ask('GET', '/v2/config/history')).body;
    expect(applied.etag).toBe(configEtag(newer));
    const [latest] = history;
    const found = await api.ask('GET', `/v2/config/history/${latest.etag}`);
    expect(found.body.revision).toEqual(latest);
    expect(found.body.configuration.floating_ips[0].floating_ip).toBe(A);
    expect((await api.ask('GET', `/v2/config/history/${'0'.repeat(64)}`)).status).toBe(404);

    const other = { 'if-match': `"${latest.etag}"` };
    expect((await api.ask('POST', '/v2/config/rollback', undefined, other)).status).toBe(412);
    expect(await has(B)).toBe(true);

    const back = await api.ask('POST', '/v2/config/rollback');
    expect(back.body).toMatchObject({ etag: latest.etag, generation: newer.generation });
    expect([await has(A), await has(B)]).toEqual([true, false]);
    const forth = await api.ask('POST', '/v2/config/rollback?confirm=600', { etag: configEtag(newer) });
    expect(forth.body.pending.etag).toBe(configEtag(newer));
    expect(await has(B)).toBe(true);
    expect((await api.ask('POST', '/v2/config/rollback', { tag: 'x' })).status).toBe(422);
  });

  it('never shows a secret, and takes no mask for one', async () => {
    const bgp = { asn: 64512, neighbors: [{ address: '198.51.100.1', asn: 64513, password: 'hush-hush' }] };
    const staged = await api.ask('PUT', '/v2/config?stage=true', wanted(A, { bgp }));
    expect(staged.status, staged.text).toBe(200);
    const { body, text } = await api.ask('GET', '/v2/config/candidate');
    expect(body.configuration.bgp.neighbors[0].password).toBe(MASK);
    expect(staged.text + text).not.toContain('hush-hush');
    const back = await api.ask('PUT', '/v2/config?dry_run=true', body.configuration);
    expect([back.status, back.body.error.field]).toEqual([422, '/bgp/neighbors/0/password']);
  });
});
