import type { Args, Incoming, Notification } from './contract.ts';
import { contextOf, decodeEnvelope, isObject, type Message, malformed, parseTime } from './envelope.ts';

/** A call (it has `replyTo`) or a cast, as a server receives it. */
export interface Request extends Incoming {
  readonly uniqueId: string | undefined;
  readonly namespace: string | undefined;
  readonly replyTo: { readonly queue: string; readonly msgId: string } | undefined;
  /** Milliseconds within which the caller wants a sign of life, over and over; absent: it only waits. */
  readonly monitor: number | undefined;
}

/** @throws MESSAGING_MALFORMED */
export function readRequest(body: unknown): Request {
  const message = decodeEnvelope(body);
  const method = text(message.method);
  if (method === undefined) throw malformed('it names no method');
  const args = message.args ?? {};
  if (!isObject(args)) throw malformed(`the arguments of ${method.slice(0, 40)} are no JSON object`);
  const queue = text(message._reply_q);
  const msgId = text(message._msg_id);
  const monitor = Number(message._timeout ?? 0);
  return {
    method,
    args,
    version: text(message.version) ?? '1.0',
    context: contextOf(message),
    uniqueId: text(message._unique_id),
    namespace: text(message.namespace),
    replyTo: queue !== undefined && msgId !== undefined ? { queue, msgId } : undefined,
    monitor: monitor >= 2 ? monitor * 1000 : undefined,
  };
}

export interface Reply {
  readonly msgId: string;
  readonly result: unknown;
  /** JSON text, see `remote-failure.ts`. */
  readonly failure: unknown;
  /** False: a sign of life, the answer is yet to come. */
  readonly ending: boolean;
}

/** @throws MESSAGING_MALFORMED */
export function readReply(body: unknown): Reply {
  const message = decodeEnvelope(body);
  const msgId = text(message._msg_id);
  if (msgId === undefined) throw malformed('it is an answer without _msg_id');
  return { msgId, result: message.result ?? null, failure: message.failure, ending: message.ending !== false };
}

/** @throws MESSAGING_MALFORMED */
export function readNotification(body: unknown): { notification: Notification; uniqueId: string | undefined } {
  const message = decodeEnvelope(body);
  const eventType = text(message.event_type);
  if (eventType === undefined) throw malformed('it is a notification without event_type');
  if (!isObject(message.payload)) throw malformed(`the payload of ${eventType.slice(0, 40)} is no JSON object`);
  const notification = {
    eventType,
    publisherId: text(message.publisher_id) ?? '',
    priority: text(message.priority) ?? 'INFO',
    payload: message.payload,
    timestamp: parseTime(message.timestamp) ?? Date.now(),
    context: contextOf(message),
  };
  return { notification, uniqueId: text(message._unique_id) };
}

export function requestMessage(
  request: { method: string; args: Args; version: string; uniqueId: string },
  reply?: { queue: string; msgId: string },
): Message {
  return {
    method: request.method,
    args: request.args,
    version: request.version,
    ...(reply ? { _msg_id: reply.msgId, _reply_q: reply.queue, _timeout: null } : {}),
    _unique_id: request.uniqueId,
    // The agent's own authority; the request id is what the server's log shows.
    _context_is_admin: true,
    _context_request_id: `req-${uuid(request.uniqueId)}`,
  };
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
