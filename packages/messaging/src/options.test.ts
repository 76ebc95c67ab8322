import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileOptions, type RabbitOptions } from './options.ts';

const compile = (rabbit: RabbitOptions) => compileOptions({ transportUrl: 'rabbit://h/', rabbit });

test('every value is present, times in milliseconds', () => {
  expect(compile({})).toMatchObject({
    exchange: 'neutron',
    deadAfter: 60_000,
    retry: { interval: 1000, step: 2000, max: 5000 },
    missingConsumerTimeout: 60_000,
    prefetch: 0,
    tls: undefined,
  });
});

test.each<[RabbitOptions, string]>([
  [{ rabbit_quorum_queue: true, rabbit_ha_queues: true }, 'rabbit_ha_queues'],
  [{ rabbit_stream_fanout: true }, 'rabbit_stream_fanout'],
  [{ rabbit_login_method: 'EXTERNAL' }, 'rabbit_login_method'],
  [{ kombu_failover_strategy: 'random' }, 'kombu_failover_strategy'],
  [{ heartbeat_timeout_threshold: -1 }, 'heartbeat_timeout_threshold'],
  [{ rabbit_retry_interval: Number.NaN }, 'rabbit_retry_interval'],
  [{ ssl: true, ssl_version: 'SSLv2' }, 'ssl_version'],
  [{ ssl: true, ssl_ca_file: '/nowhere/ca.pem' }, 'ssl_ca_file'],
  [{ ssl: true, ssl_cert_file: '/etc/passwd' }, 'ssl_key_file'],
  [{ ssl: true, ssl_key_file: '/etc/passwd' }, 'ssl_cert_file'],
])('%o is refused, naming %s', (rabbit, option) => {
  expect(() => compile(rabbit)).toThrow(expect.objectContaining({ code: 'MESSAGING_BAD_OPTION', retry: 'operator' }));
  expect(() => compile(rabbit)).toThrow(`${option}: `);
});

test('a file that is no certificate is refused at the start', () => {
  using dir = mkdtempDisposableSync(join(tmpdir(), 'at-messaging-'));
  const file = join(dir.path, 'ca.pem');
  writeFileSync(file, 'not a certificate\n');
  expect(() => compile({ ssl: true, ssl_cert_file: file, ssl_key_file: file })).toThrow('ssl_cert_file: ');
});

test('shuffling keeps every broker', () => {
  const { brokers } = compileOptions({
    transportUrl: 'rabbit://a,b,c/',
    rabbit: { kombu_failover_strategy: 'shuffle' },
  });
  expect(brokers.map(({ host }) => host).sort()).toEqual(['a', 'b', 'c']);
});
