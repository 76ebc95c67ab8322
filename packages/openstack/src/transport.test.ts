import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Session } from './session.ts';
import { FakeCloud } from './testing/fake-cloud.ts';
import { isLoopback, Transport } from './transport.ts';

const signal = () => AbortSignal.timeout(5_000);
const open = new Set<{ close(): unknown }>();
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'at-openstack-'));
});
afterEach(async () => {
  for (const each of open) await each.close();
  open.clear();
  rmSync(dir, { recursive: true, force: true });
});

async function listen<S extends Server>(server: S): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.add({
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return (server.address() as AddressInfo).port;
}

function transport(env: NodeJS.ProcessEnv, tls: { cafile?: string; insecure?: boolean } = {}): Transport {
  const made = new Transport({ cafile: tls.cafile ?? null, insecure: tls.insecure ?? false }, '[keystone] cafile', env);
  open.add(made);
  return made;
}
async function get(by: Transport, url: string): Promise<string> {
  return (await by.send({ method: 'GET', url, headers: {}, signal: signal() })).text;
}

describe('proxies of the environment', () => {
  test('are not asked for loopback, and are for other hosts but those of no_proxy', async () => {
    const port = await listen(createServer((_request, response) => response.end('direct')));
    const asked: string[] = [];
    // Plain HTTP comes to a proxy as a request with the whole URL.
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('by proxy');
    });
    const proxyPort = await listen(proxy);
    const env = { http_proxy: `http://127.0.0.1:${proxyPort}`, no_proxy: 'direct.invalid' };
    const by = transport(env);
    expect(await get(by, `http://127.0.0.1:${port}/`)).toBe('direct');
    expect(await get(by, `http://localhost:${port}/`)).toBe('direct');
    expect(asked).toEqual([]);
    expect(await get(by, 'http://keystone.invalid/v3')).toBe('by proxy');
    expect(asked).toEqual(['http://keystone.invalid/v3']);
    await expect(get(by, 'http://direct.invalid/')).rejects.toThrow('direct.invalid');
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['localhost', true],
    ['LOCALHOST.', true],
    ['api.localhost', true],
    ['127.1.2.3', true],
    ['[::1]', true],
    [new URL('http://[::ffff:127.0.0.1]').hostname, true],
    ['localhost.example', false],
    ['127.0.0.1.example', false],
    ['10.0.0.1', false],
    ['[::2]', false],
  ])('%s is loopback: %s', (hostname, is) => {
    expect(isLoopback(hostname)).toBe(is);
  });
});

describe('certificates', () => {
  test('are checked, unless insecure; a cafile that is missing is named', async () => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '1',
        '-keyout',
        key,
      ].concat(['-out', cert, '-subj', '/CN=at-openstack', '-addext', 'subjectAltName=IP:127.0.0.1']),
      { stdio: 'ignore' },
    );
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
      response.end('hello'),
    );
    const url = `https://127.0.0.1:${await listen(server)}`;
    expect(await get(transport({}, { cafile: cert }), url)).toBe('hello');
    expect(await get(transport({}, { insecure: true }), url)).toBe('hello');
    await expect(get(transport({}), url)).rejects.toThrow('self-signed certificate');
    expect(() => transport({}, { cafile: join(dir, 'none') })).toThrow(
      /^\[keystone\] cafile names .*none, which cannot/,
    );

    await using fake = await FakeCloud.start();
    const session = new Session(fake.cloud({ auth_url: url }));
    open.add(session);
    await expect(session.token(signal())).rejects.toMatchObject({
      code: 'OPENSTACK_TLS',
      retry: 'operator',
      remedy: 'Set [keystone] cacert to the file of the authorities that sign it.',
    });
  });
});
