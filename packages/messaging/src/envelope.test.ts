import { readFileSync } from 'node:fs';
import { AstaraError } from '@astara/model/error.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTime } from './context.ts';
import { decodeEnvelope, type Message, newId } from './envelope.ts';
import { notificationMessage, readNotification, readReply, readRequest, requestMessage } from './messages.ts';
import { decodeFailure } from './remote-failure.ts';
import { encodeEnvelope } from './testing/peers.ts';

const fixtures: Record<string, unknown> = JSON.parse(
  readFileSync(new URL('../test-fixtures/neutron-messages.json', import.meta.url), 'utf8'),
);
const captured = (name: string) => Buffer.from(JSON.stringify(fixtures[name]));

test('a cast of neutron-server', () => {
  const request = readRequest(captured('cast'));
  expect(request).toEqual({
    method: 'routers_updated',
    args: { routers: ['ff91b487-f3f0-47ef-9af2-c5fe94ac92a3'] },
    version: '1.1',
    context: {
      requestId: 'req-3a6a112a-541a-4583-b485-680b1df17bf2',
      timestamp: Date.UTC(2026, 10, 20, 20, 36, 36, 3),
      projectId: 'f2a2dfdfc0d343c9831c3b8fb0269427',
      projectName: 'admin',
      userId: '77533d095974468fb3d1fbc155aaad23',
      userName: 'admin',
      roles: ['reader', 'admin', 'member'],
      isAdmin: true,
    },
    uniqueId: 'da0fdcf88a934f6d84d1081e32cef203',
    namespace: undefined,
    replyTo: undefined,
    monitor: undefined,
  });
  // The caller's Keystone token was in the message and must be nowhere in what leaves the decoder.
  expect(captured('cast').toString()).toContain('TOKEN-REMOVED');
  expect(JSON.stringify(request)).not.toContain('TOKEN-REMOVED');
});

test('a call', () => {
  expect(readRequest(captured('call')).replyTo).toEqual({
    queue: 'reply_bf82fe0f717e4f30aabb051c6029ce40',
    msgId: '9c152e5f3c884f128acc4f324e7fb9d9',
  });
});

test('an answer, and a failure', () => {
  expect(readReply(captured('answer'))).toMatchObject({
    msgId: '6b5d308110584098bfb3faa975237ce3',
    result: ['d8c779bd-adae-4861-a26d-d7114c1e36db', 'ec63cc22-4a54-4b45-bac3-0dc9fc48dfe5'],
    ending: true,
  });
  const error = decodeFailure(readReply(captured('failure')).failure, {
    topic: 'q-l3-plugin',
    method: 'no_such_method',
  });
  expect(error).toMatchObject({
    code: 'MESSAGING_REMOTE_ERROR',
    remoteClass: 'NoSuchMethod',
    remoteModule: 'oslo_messaging.rpc.dispatcher',
    retry: 'operator',
  });
});

test('a notification', () => {
  const { notification } = readNotification(captured('notification'));
  expect(notification).toMatchObject({
    eventType: 'floatingip.update.end',
    publisherId: 'network.lab1',
    priority: 'INFO',
    payload: { floatingip: { floating_ip_address: '203.0.113.100' } },
  });
  expect(new Date(notification.timestamp).getUTCFullYear()).toBe(2026);
});

test('our notification, cast and call have no key that a real one has not', () => {
  const context = {
    requestId: 'req-1',
    timestamp: 0,
    projectId: 'p',
    projectName: 'demo',
    userId: 'u',
    userName: 'alice',
    roles: [],
  };
  const notification = { eventType: 'router.create.end', publisherId: 'network.h', payload: {}, context };
  const request = { method: 'm', args: {}, version: '1.0', uniqueId: newId(), context };
  const ours: [string, Message][] = [
    ['notification', notificationMessage(notification)],
    ['cast', requestMessage(request)],
    ['call', requestMessage({ ...request, context: {} }, { queue: 'reply_1', msgId: 'm' })],
  ];
  for (const [name, message] of ours) {
    const real = Object.keys(decodeEnvelope(captured(name)));
    // The captured call is a probe with the smallest context that there is.
    const known = new Set([...real, '_context_request_id']);
    expect(Object.keys(message).filter((key) => !known.has(key))).toEqual([]);
    const plain = (keys: readonly string[]) => keys.filter((key) => !key.startsWith('_')).sort();
    expect(plain(Object.keys(message))).toEqual(plain(real));
  }
});

test('a body without an envelope is the message', () => {
  expect(decodeEnvelope(Buffer.from('{"event_type":"x"}'))).toEqual({ event_type: 'x' });
});

test.each([
  ['no JSON', Buffer.from('{')],
  ['another envelope version', { 'oslo.version': '3.0', 'oslo.message': '{}' }],
  ['an inner text that is no JSON', { 'oslo.version': '2.0', 'oslo.message': 'x' }],
  ['an array', Buffer.from('[]')],
  ['nothing', undefined],
])('%s is malformed', (_, body) => {
  expect(() => decodeEnvelope(body)).toThrow(expect.objectContaining({ code: 'MESSAGING_MALFORMED' }));
});

test.each([
  ['2026-11-20 20:36:36.003368', Date.UTC(2026, 10, 20, 20, 36, 36, 3)],
  ['2026-11-20T20:36:36', Date.UTC(2026, 10, 20, 20, 36, 36)],
  ['2026-11-20T20:36:36+01:00', Date.UTC(2026, 10, 20, 19, 36, 36)],
  ['yesterday', undefined],
  [7, undefined],
])('time %s', (text, milliseconds) => {
  expect(parseTime(text)).toBe(milliseconds);
});

test('any JSON arguments make the round trip', () => {
  const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), fc.string({ minLength: 1 }), (args, method) => {
      // What JSON can carry; `-0` and a key `__proto__` are spelled differently on the way.
      const sent = JSON.parse(JSON.stringify(args));
      const uniqueId = newId();
      const message = requestMessage(
        { method, args: sent, version: '1.2', uniqueId },
        { queue: 'reply_1', msgId: 'm' },
      );
      const request = readRequest(encodeEnvelope(message));
      expect(request.args).toEqual(sent);
      expect(request).toMatchObject({ method, version: '1.2', uniqueId, replyTo: { queue: 'reply_1', msgId: 'm' } });
    }),
  );
});

test('garbage never throws anything but MESSAGING_MALFORMED', () => {
  const inner = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record(
        {
          method: fc.jsonValue(),
          args: fc.jsonValue(),
          version: fc.jsonValue(),
          namespace: fc.jsonValue(),
          event_type: fc.jsonValue(),
          payload: fc.jsonValue(),
          timestamp: fc.jsonValue(),
          failure: fc.jsonValue(),
          _msg_id: fc.jsonValue(),
          _reply_q: fc.jsonValue(),
          _timeout: fc.jsonValue(),
          _context_timestamp: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((record) => JSON.stringify(record)),
  );
  const body = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.anything(),
    inner.map((text) => Buffer.from(text)),
    inner.map((text) => Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': text }))),
  );
  fc.assert(
    fc.property(body, (garbage) => {
      for (const read of [decodeEnvelope, readRequest, readReply, readNotification]) {
        try {
          read(garbage);
        } catch (error) {
          if (!(error instanceof AstaraError) || error.code !== 'MESSAGING_MALFORMED') throw error;
        }
      }
      decodeFailure(garbage, { topic: 't', method: 'm' });
    }),
    { numRuns: 1000 },
  );
});
