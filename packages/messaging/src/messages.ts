import { randomUUID } from 'node:crypto';
import { contextFields, formatTime, parseTime, readContext } from './context.ts';
import type { Args, Incoming, Notification, OutgoingNotification, RequestContext } from './contract.ts';
import { decodeEnvelope, isObject, type Message, malformed } from './envelope.ts';

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
    context: readContext(message),
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
    context: readContext(message),
  };
  return { notification, uniqueId: text(message._unique_id) };
}

export function requestMessage(
  request: { method: string; args: Args; version: string; uniqueId: string; context?: RequestContext | undefined },
  reply?: { queue: string; msgId: string },
): Message {
  return {
    method: request.method,
    args: request.args,
    version: request.version,
    ...(reply ? { _msg_id: reply.msgId, _reply_q: reply.queue, _timeout: null } : {}),
    _unique_id: request.uniqueId,
    ...contextFields(request.context),
  };
}

/** Without its `_unique_id`, which is another for each topic. */
export function notificationMessage(notification: OutgoingNotification): Message {
  const { eventType, publisherId, payload, priority = 'INFO', context } = notification;
  return {
    message_id: randomUUID(),
    publisher_id: publisherId,
    event_type: eventType,
    priority: priority.toUpperCase(),
    payload,
    timestamp: formatTime(Date.now()),
    ...contextFields(context),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
