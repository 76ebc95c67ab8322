import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Agent, type Dispatcher, request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MetadataServer, type MetadataServerOptions } from './server.ts';

const secret = 's3cret-of-nova';
let dir: string;
let nova: Server;
let seen: { headers: IncomingMessage['headers']; method: string; url: string; body: string }[];
let answer: (url: string) => { status: number; body: string } | undefined;
let log: string;
const servers: MetadataServer[] = [];
let client: Agent;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'at-orchestrator-metadata-'));
  seen = [];
  log = '';
  answer = () => ({ status: 200, body: 'ami-id' });
  nova = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (piece) => (body += piece));
    incoming.on('end', () => {
      seen.push({ headers: incoming.headers, method: incoming.method ?? '', url: incoming.url ?? '', body });
      const said = answer(incoming.url ?? '');
      if (said === undefined) return;
      response.writeHead(said.status, { 'content-type': 'text/plain', 'x-openstack-request-id': 'req-1' });
      response.end(said.body);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  nova.listen(0, '127.0.0.1', resolve);
  await promise;
  client = new Agent({ connect: { socketPath: join(dir, 'md.sock') } });
});

afterEach(async () => {
  await client.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  nova.closeAllConnections();
  nova.close();
  rmSync(dir, { recursive: true });
});

async function start(options: Partial<MetadataServerOptions> = {}): Promise<void> {
  const server = new MetadataServer({
    socket: join(dir, 'md.sock'),
    novaUrl: `http://127.0.0.1:${(nova.address() as AddressInfo).port}`,
    sharedSecret: secret,
    logger: pino(
      { level: 'trace' },
      new Writable({
        write(piece, _encoding, done) {
          log += String(piece);
          done();
        },
      }),
    ),
    ...options,
  });
  servers.push(server);
  await server.start();
}

const identity = { 'x-instance-id': 'vm-1', 'x-tenant-id': 't1', 'x-forwarded-for': '10.0.0.5' };

async function ask(path: string, options: Partial<Dispatcher.RequestOptions> = {}) {
  const answered = await request(`http://metadata${path}`, { dispatcher: client, headers: identity, ...options });
  return { status: answered.statusCode, headers: answered.headers, body: await answered.body.text() };
}

test('only root and its group may open the socket', async () => {
  await start();
  expect(statSync(join(dir, 'md.sock')).mode & 0o777).toBe(0o660);
});

test('a request is signed with the shared secret, and a forged signature never gets through', async () => {
  await start();
  const answered = await ask('/latest/meta-data/ami-id?x=1', {
    headers: { ...identity, 'x-instance-id-signature': 'forged', cookie: 'a=b', 'user-agent': 'curl' },
  });
  expect(answered).toMatchObject({ status: 200, body: 'ami-id', headers: { 'content-type': 'text/plain' } });
  expect(answered.headers['x-openstack-request-id']).toBeUndefined();
  const [got] = seen;
  expect(got).toMatchObject({ method: 'GET', url: '/latest/meta-data/ami-id?x=1' });
  expect(got?.headers).toMatchObject({
    ...identity,
    'user-agent': 'curl',
    'x-instance-id-signature': createHmac('sha256', secret).update('vm-1').digest('hex'),
  });
  expect(got?.headers.cookie).toBeUndefined();
  expect(log).not.toContain(secret);
});

test('what Nova refuses is passed on as it is, and a large answer whole', async () => {
  await start();
  const large = 'x'.repeat(3_000_000);
  answer = (url) => (url === '/none' ? { status: 404, body: 'no such' } : { status: 200, body: large });
  expect(await ask('/none')).toMatchObject({ status: 404, body: 'no such' });
  expect((await ask('/openstack/latest/user_data')).body).toHaveLength(large.length);
});

test('a posted password arrives; a body that is too large does not', async () => {
  await start({ maxBody: 1000 });
  await ask('/openstack/2013-04-04/password', { method: 'POST', body: 'encrypted' });
  expect(seen[0]).toMatchObject({ method: 'POST', body: 'encrypted' });
  expect((await ask('/openstack/2013-04-04/password', { method: 'POST', body: 'x'.repeat(2000) })).status).toBe(400);
  expect(seen).toHaveLength(1);
});

test('without identity, or with a doubled one, nothing is asked of Nova', async () => {
  await start();
  const { 'x-instance-id': _, ...anonymous } = identity;
  expect((await ask('/', { headers: anonymous })).status).toBe(400);
  expect((await ask('/', { headers: { ...identity, 'x-instance-id': 'vm-1, vm-2' } })).status).toBe(400);
  expect((await ask('/', { method: 'DELETE' })).status).toBe(400);
  expect(seen).toEqual([]);
});

test('Nova away, slow, or too much at once: a clear answer, and soon', async () => {
  await start({ timeouts: { connect: 200, headers: 100, body: 100 }, maxRequests: 1 });
  answer = () => undefined;
  const [slow, second] = await Promise.all([ask('/slow'), ask('/second')]);
  expect([slow.status, second.status].sort()).toEqual([502, 503]);
  expect(slow.body + second.body).toContain('does not answer; try again later');
  nova.closeAllConnections();
  nova.close();
  expect(await ask('/')).toMatchObject({ status: 502 });
  expect(log).toContain('METADATA_UNREACHABLE');
  expect(log).not.toContain(secret);
});

test('a socket that a killed process left behind is replaced', async () => {
  await start();
  await start();
  expect((await ask('/')).status).toBe(200);
});
