import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectMessaging, type RabbitMessaging } from './messaging.ts';
import type { RabbitOptions } from './options.ts';
import { TestBroker } from './testing/broker.ts';
import { makeCertificates } from './testing/certificates.ts';
import { Cleanup, newTopic } from './testing/peers.ts';

const cleanup = new Cleanup();
let broker: TestBroker;
let tls: NonNullable<TestBroker['tls']>;

beforeAll(async () => {
  broker = await TestBroker.start({ tls: true });
  cleanup.add(() => broker.remove());
  if (!broker.tls) throw new Error('the broker speaks no TLS');
  tls = broker.tls;
});
afterAll(() => cleanup.run());

function connect(host: string, rabbit: RabbitOptions): RabbitMessaging {
  const transportUrl = broker.url.replace(`127.0.0.1:${broker.port}`, `${host}:${tls.port}`);
  const messaging = connectMessaging({ transportUrl, rabbit: { ssl: true, ...rabbit } });
  cleanup.add(() => messaging.close());
  return messaging;
}

test.each(['127.0.0.1', 'localhost'])('calls over TLS, the certificate checked, host %s', async (host) => {
  const messaging = connect(host, { ssl_ca_file: tls.ca, ssl_cert_file: tls.cert, ssl_key_file: tls.key });
  const target = newTopic();
  await messaging.serve({ ...target, host: 'h', handlers: { echo: ({ args }) => args.value } });
  const value = 'x'.repeat(300_000);
  expect(await messaging.call(target, 'echo', { value }, { timeout: 10_000 })).toBe(value);
});

test('one version only', async () => {
  await connect('localhost', { ssl_ca_file: tls.ca, ssl_version: 'TLSv1_2' }).ready();
});

test('without the authority, or with another one, it does not connect and says so at once', async () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'at-messaging-'));
  const other = makeCertificates(dir.path);
  for (const rabbit of [{}, { ssl_ca_file: other.ca }]) {
    await expect(connect('localhost', rabbit).ready()).rejects.toMatchObject({
      code: 'MESSAGING_TLS',
      retry: 'operator',
    });
  }
});

test('a certificate for another name is refused, unless the operator says otherwise', async () => {
  const host = '127.0.0.2';
  const rabbit = { ssl_ca_file: tls.ca };
  await expect(connect(host, rabbit).ready()).rejects.toMatchObject({ code: 'MESSAGING_TLS' });
  await connect(host, { ...rabbit, ssl_enforce_hostname_verification: false }).ready();
});
