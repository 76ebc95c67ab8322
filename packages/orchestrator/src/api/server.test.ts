import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMetrics } from '../metrics.ts';
import { Rig } from '../reconciler/rig.ts';
import { type Api, startApi } from './server.ts';

let rig: Rig;
let api: Api;
let broker: string | undefined;

beforeEach(async () => {
  broker = undefined;
  const metrics = createMetrics();
  rig = new Rig({ metrics });
  rig.want('a');
  await rig.engine.start();
  await rig.pass(0);
  const checks = { broker: () => broker };
  api = await startApi({ host: '127.0.0.1', port: 0, engine: rig.engine, metrics, checks });
});
afterEach(async () => {
  await api.close();
  const stopped = rig.engine.stop(0);
  await rig.pass(1);
  await stopped;
});

async function call(path: string, method = 'GET'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${api.url}${path}`, { method });
  return { status: response.status, body: await response.json() };
}

test('the resources, with where they are and why', async () => {
  const state = {
    kind: 'router',
    id: 'a',
    phase: 'CONFIGURED',
    rule: 'as wanted',
    boots: 0,
    instances: [{ id: 'a', state: 'running', applied: { etag: expect.any(String) } }],
    applied_at: '2023-11-14T22:13:20.000Z',
    last_error: null,
    queue: null,
  };
  expect(await call('/v1/resources')).toMatchObject({ status: 200, body: { resources: [state] } });
  expect(await call('/v1/resources/router/a')).toMatchObject({ status: 200, body: state });
});

test('what is not there', async () => {
  expect(await call('/v1/resources/router/b')).toMatchObject({
    status: 404,
    body: { error: { code: 'RESOURCE_NOT_FOUND' } },
  });
  expect(await call('/v1/resources/cat/b')).toMatchObject({
    status: 400,
    body: { error: { code: 'REQUEST_INVALID' } },
  });
  expect(await call('/v2')).toMatchObject({ status: 404, body: { error: { code: 'API_ROUTE_UNKNOWN' } } });
  expect(await call('/v1/resources/router/b/rebuild', 'PUT')).toMatchObject({ status: 404 });
});

test('rebuild and poll', async () => {
  rig.host.calls.length = 0;
  expect(await call('/v1/resources/router/a/poll', 'PUT')).toMatchObject({ status: 202, body: { id: 'a' } });
  await rig.pass(0);
  expect(rig.host.calls).toEqual([]);
  expect(await call('/v1/resources/router/a/rebuild', 'PUT')).toMatchObject({ status: 202, body: { id: 'a' } });
  await rig.pass(0);
  expect(rig.host.calls.map(({ operation }) => operation)).toEqual(['destroy', 'ensure', 'push']);
  expect(await call('/v1/poll', 'PUT')).toMatchObject({ status: 202 });
  expect(await call('/v1/breaker/reset', 'PUT')).toMatchObject({ status: 202 });
});

test('healthcheck: well, or what is wrong', async () => {
  expect(await call('/healthcheck')).toEqual({ status: 200, body: { status: 'OK', reasons: {} } });
  broker = 'connection refused';
  rig.host.fail('list', new Error('agent is away'), 99);
  await rig.pass(3000);
  expect(await call('/healthcheck')).toEqual({
    status: 503,
    body: { status: 'DEGRADED', reasons: { broker: 'connection refused', agent: 'agent is away' } },
  });
});

test('metrics: what happened and what is', async () => {
  const response = await fetch(`${api.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  expect(text).toMatch(/^astara_convergence_seconds_count\{kind="router"\} 1$/m);
  expect(text).toMatch(/^astara_resources\{kind="router",phase="CONFIGURED"\} 1$/m);
  expect(text).toMatch(/^astara_instances\{state="running"\} 1$/m);
  expect(text).toMatch(/^astara_queue_depth\{priority="user"\} 0$/m);
  expect(text).toMatch(/^astara_reconciles_total\{kind="router",result="changed"\} 1$/m);
  expect(text).toMatch(/^astara_step_seconds_count\{step="configure",result="ok"\} 1$/m);
});
