import { AstaraError } from '@astara/model/error.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTransportUrl } from './transport-url.ts';

test('one broker', () => {
  expect(parseTransportUrl('rabbit://openstack:labpass@10.0.0.1:5673/')).toEqual({
    brokers: [{ host: '10.0.0.1', port: 5673, user: 'openstack', password: 'labpass' }],
    vhost: '/',
  });
});

test('several brokers, IPv6, default port, virtual host, credentials taken from the one before', () => {
  expect(parseTransportUrl('rabbit://u:p%40%3A%2F%25@[::1]:1,h2,v:w@h3:3/my%2Fhost?ssl=0')).toEqual({
    brokers: [
      { host: '::1', port: 1, user: 'u', password: 'p@:/%' },
      { host: 'h2', port: 5672, user: 'u', password: 'p@:/%' },
      { host: 'h3', port: 3, user: 'v', password: 'w' },
    ],
    vhost: 'my/host',
  });
});

test('an unescaped @ in the password belongs to the password', () => {
  expect(parseTransportUrl('rabbit://u:a@b@h/').brokers[0]).toMatchObject({ host: 'h', password: 'a@b' });
});

test.each([
  ['', 'form'],
  ['rabbit://u:s3cret@', 'host'],
  ['rabbit://u:s3cret@h:0/', 'port'],
  ['rabbit://u:s3cret@h:99999/', 'port'],
  ['rabbit://u:s3cret%@h/', '%'],
  ['rabbit://u:s3cret@h:x/', 'host'],
  ['kafka://u:s3cret@h/', 'kafka'],
  ['rabbit://u:s3cret@h,,h2/', 'host'],
])('%s is refused, and the password not told', (url, hint) => {
  const error = caught(() => parseTransportUrl(url));
  expect(error).toMatchObject({ code: 'MESSAGING_BAD_TRANSPORT_URL', retry: 'operator' });
  expect(error?.message).toContain(hint);
  expect(error?.message).not.toContain('s3cret');
});

test('any user, password and virtual host survive percent-encoding', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(text, text, text, (user, password, vhost) => {
      const [u, p, v] = [user, password, vhost].map(encodeURIComponent);
      const parsed = parseTransportUrl(`rabbit://${u}:${p}@h:1/${v}`);
      expect(parsed).toEqual({ brokers: [{ host: 'h', port: 1, user, password }], vhost });
    }),
  );
});

function caught(run: () => unknown): AstaraError | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof AstaraError) return error;
    throw error;
  }
  return undefined;
}
