import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiWorld } from '../testing/api-world.ts';
import { config, network } from '../testing/configs.ts';
import { BODY_LIMIT } from './body.ts';

let api: ApiWorld;

beforeAll(async () => {
  api = await ApiWorld.create({ ext: 'qg-x' });
});
afterAll(() => api?.close());

const external = network('external', 'qg-x', ['198.51.100.2/24']);
const valid = config([external]);

/** Status, code and field of an answer. */
async function refusal(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await api.ask(method, path, body, headers);
  return [answer.status, answer.body?.error.code, answer.body?.error.field];
}

describe('whatever is asked', () => {
  it('is about somebody', async () => {
    expect(await refusal('GET', '/v2/config', undefined, { host: 'nobody' })).toEqual([
      404,
      'APPLIANCE_NOT_FOUND',
      undefined,
    ]);
  });

  it('has a path that there is, with or without a slash at its end', async () => {
    expect(await refusal('GET', '/')).toEqual([404, 'APPLIANCE_NOT_FOUND', undefined]);
    expect(await refusal('GET', '/v3/')).toEqual([404, 'APPLIANCE_NOT_FOUND', undefined]);
    expect(await refusal('GET', '/%ff')).toEqual([400, 'APPLIANCE_PARAMETER_REFUSED', undefined]);
    for (const path of ['/v2', '/v2/', '/v2/config/', '/v1/status', '/v1/status/']) {
      expect((await api.ask('GET', path)).status, path).toBe(200);
    }
  });

  it('has a method that its path knows', async () => {
    const answer = await api.ask('DELETE', '/v2/config');
    expect([answer.status, answer.body.error.code]).toEqual([405, 'APPLIANCE_METHOD_REFUSED']);
    expect(answer.headers.allow).toBe('GET, HEAD, PUT, OPTIONS');
    expect(await refusal('POST', '/v2/config/history/abc')).toEqual([405, 'APPLIANCE_METHOD_REFUSED', undefined]);
    expect((await api.ask('PATCH', '/v2/status')).status).toBe(405);
    const options = await api.ask('OPTIONS', '/v2/events');
    expect([options.status, options.headers.allow, options.text]).toEqual([204, 'GET, OPTIONS', '']);
    expect((await api.ask('OPTIONS', '/nothing')).status).toBe(404);
  });

  it('answers HEAD as GET, without the body; not where it would not end', async () => {
    const answer = await api.ask('HEAD', '/v2/');
    const whole = await api.ask('GET', '/v2/');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers['content-length']).toBe(String(whole.text.length));
    expect((await api.ask('HEAD', '/v2/events')).status).toBe(405);
  });

  it('has parameters that the operation knows, once', async () => {
    expect(await refusal('PUT', '/v2/config?dryrun=true', valid)).toEqual([
      400,
      'APPLIANCE_PARAMETER_REFUSED',
      '?dryrun',
    ]);
    for (const query of ['dry_run=yes', 'dry_run=1', 'dry_run=true&dry_run=false', 'dry_run[]=true']) {
      expect((await refusal('PUT', `/v2/config?${query}`, valid)).slice(0, 2), query).toEqual([
        400,
        'APPLIANCE_PARAMETER_REFUSED',
      ]);
    }
    for (const seconds of ['0', '-1', '86401', '1.5', '1e3', '', '99999999999999999999']) {
      const refused = await refusal('PUT', `/v2/config?confirm=${seconds}`, valid);
      expect(refused, seconds).toEqual([400, 'APPLIANCE_PARAMETER_REFUSED', '?confirm']);
    }
    expect((await refusal('PUT', '/v2/config?dry_run=true&stage=true', valid))[0]).toBe(400);
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(await refusal('GET', `/v2/?${name}=1`)).toEqual([400, 'APPLIANCE_PARAMETER_REFUSED', `?${name}`]);
    }
    expect(api.appliance.applied).toBeNull();
  });

  it('is JSON when it has a body', async () => {
    const put = (body: unknown, type?: string) =>
      refusal('PUT', '/v2/config', body, type === undefined ? {} : { 'content-type': type });
    expect(await put('a=b', 'application/x-www-form-urlencoded')).toEqual([415, 'APPLIANCE_NOT_JSON', undefined]);
    expect(await put('{}', 'text/plain')).toEqual([415, 'APPLIANCE_NOT_JSON', undefined]);
    expect(await put('{}', 'application/jsonp')).toEqual([415, 'APPLIANCE_NOT_JSON', undefined]);
    expect(await refusal('PUT', '/v2/config')).toEqual([415, 'APPLIANCE_NOT_JSON', undefined]);
    expect(await put('')).toEqual([400, 'APPLIANCE_BODY_REFUSED', undefined]);
    expect(await put('{"hostname":')).toEqual([400, 'APPLIANCE_BODY_REFUSED', undefined]);
    expect(await put('{"hostname":"a","hostname":"b"}')).toEqual([400, 'APPLIANCE_BODY_REFUSED', '/hostname']);
    expect(await put('{"__proto__":{}}')).toEqual([400, 'APPLIANCE_BODY_REFUSED', undefined]);
    expect(await put('['.repeat(100_000))).toEqual([400, 'APPLIANCE_BODY_REFUSED', undefined]);
    expect((await put('{}', 'Application/JSON ; charset=utf-8'))[0]).toBe(422);
    expect((await refusal('POST', '/v2/check', {}))[0]).toBe(400);
  });

  it('has a body of bounded size', async () => {
    const headers = { 'content-length': String(BODY_LIMIT + 1), 'content-type': 'application/json' };
    const { status } = await fetchHead(headers);
    expect(status).toBe(413);
  });

  it('names every field that is wrong', async () => {
    const wrong = { ...valid, hostname: 'no spaces', extra: 1, networks: [{ ...external, surplus: true }] };
    const { status, body } = await api.ask('PUT', '/v2/config', wrong);
    expect([status, body.error.code]).toEqual([422, 'APPLIANCE_CONFIG_INVALID']);
    const fields = body.errors.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(expect.arrayContaining(['/hostname', '/extra', '/networks/0/surplus']));
    for (const odd of [null, [], 'text', 7, true]) {
      expect((await refusal('PUT', '/v2/config', JSON.stringify(odd)))[0], JSON.stringify(odd)).toBe(422);
    }
    expect(api.appliance.applied).toBeNull();
  });
});

/** Says how long the body will be, and waits for what is said to that. */
async function fetchHead(headers: Record<string, string>): Promise<{ status: number }> {
  const { hostname, port } = new URL(api.url);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number }>();
  const socket = connect(Number(port), hostname);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`PUT /v2/config HTTP/1.1\r\nhost: a\r\n${lines.join('')}\r\n`);
  socket.once('data', (chunk: Buffer) => {
    resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(chunk.toString())?.[1]) });
    socket.destroy();
  });
  socket.once('error', reject);
  return promise;
}
