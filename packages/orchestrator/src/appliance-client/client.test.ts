import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import type { InstanceView } from '@astara/model/instance.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { errors } from '../errors.ts';
import { SocketAppliances } from './client.ts';

const config: ApplianceConfig = { generation: 7, hostname: 'r', tenant_id: 'a', networks: [], floating_ips: [] };
const good = { generation: 7, etag: configEtag(config), changes: [{}, {}], warnings: ['dnsmasq is old'] };

let dir: string;
let socket: string;
let server: Server | undefined;
let client: SocketAppliances;

beforeEach(() => {
  dir = mkdtempSync('/tmp/at-orchestrator-');
  socket = join(dir, 'api.sock');
  client = new SocketAppliances();
});
afterEach(async () => {
  client.close();
  await stop();
  rmSync(dir, { recursive: true });
});

async function serve(listener: RequestListener): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server = createServer(listener).listen(socket, resolve);
  await promise;
}

async function stop(): Promise<void> {
  const closing = server;
  server = undefined;
  if (closing === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  closing.close(() => resolve());
  closing.closeAllConnections();
  await promise;
}

function answer(status: number, body: unknown): RequestListener {
  return (request, response) => {
    request.resume();
    request.on('end', () =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  };
}

function push(signal = AbortSignal.timeout(5000)) {
  const view: InstanceView = {
    id: 'a',
    resource: { kind: 'router', id: 'a' },
    state: 'running',
    created_at: '',
    attachments: [],
    appliance_socket: socket,
    applied: null,
    services: [],
  };
  return client.push(view, config, signal);
}

test('sends the whole configuration, and says what the appliance made of it', async () => {
  let seen = '';
  await serve((request, response) => {
    request.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
    });
    request.on('end', () => {
      seen = `${request.method} ${request.url} ${request.headers['content-type']} ${seen}`;
      response.end(JSON.stringify(good));
    });
  });
  expect(await push()).toEqual({ generation: 7, etag: good.etag, changes: 2, warnings: ['dnsmasq is old'] });
  expect(seen).toBe(`PUT /v2/config?check=false application/json ${JSON.stringify(config)}`);
});

test('keeps one connection, however often it pushes', async () => {
  let connections = 0;
  await serve(answer(200, good));
  server?.on('connection', () => connections++);
  await Promise.all([push(), push(), push()]);
  await push();
  expect(connections).toBe(1);
});

test('does not notice that the agent was restarted between two pushes', async () => {
  await serve(answer(200, good));
  await push();
  await stop();
  await serve(answer(200, good));
  expect(await push()).toMatchObject({ generation: 7 });
});

test('does not notice that the peer closes a kept connection under its request', async () => {
  let requests = 0;
  await serve((request, response) => {
    if (++requests === 2) request.socket.destroy();
    else answer(200, good)(request, response);
  });
  await push();
  expect(await push()).toMatchObject({ generation: 7 });
  expect(requests).toBe(3);
});

test('an error of the appliance is that error', async () => {
  const refused = errors.make('REQUEST_INVALID', { reason: 'no such interface' }, { field: '/networks/0' });
  await serve(answer(422, refused.toBody()));
  await expect(push()).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    retry: 'terminal',
    status: 422,
    field: '/networks/0',
  });
});

test.each([
  [500, { oh: 'no' }],
  [200, { ...good, etag: 'another' }],
  [200, 'fine'],
  [404, undefined],
])('status %i with %j is no answer', async (status, body) => {
  await serve(answer(status, body));
  await expect(push()).rejects.toMatchObject({ code: 'APPLIANCE_BAD_ANSWER', retry: 'operator' });
});

test('nobody there', async () => {
  await expect(push()).rejects.toMatchObject({ code: 'APPLIANCE_UNREACHABLE', retry: 'retry' });
});

test('a peer that dies under a request', async () => {
  await serve((request) => request.socket.destroy());
  await expect(push()).rejects.toMatchObject({ code: 'APPLIANCE_UNREACHABLE' });
});

test('a peer that does not answer in time', async () => {
  await serve(() => {});
  await expect(push(AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'APPLIANCE_TIMEOUT', retry: 'retry' });
});

test('an end that is not a matter of time is passed on', async () => {
  await serve(() => {});
  const ending = new AbortController();
  const pushing = push(ending.signal);
  ending.abort(new Error('closing'));
  await expect(pushing).rejects.toThrow('closing');
});
