import { randomUUID } from 'node:crypto';
import type { RequestContext } from './contract.ts';
import { errors } from './errors.ts';

/** A decoded message: the keys of `oslo.message`. */
export type Message = Readonly<Record<string, unknown>>;

/** oslo.messaging envelope 2.0: JSON in JSON. */
export function encodeEnvelope(message: Message): Buffer {
  return Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }));
}

/**
 * Body of an AMQP message → message. A body without an envelope is the message itself (notification driver `messaging`).
 * @throws MESSAGING_MALFORMED, and nothing else, whatever comes.
 */
export function decodeEnvelope(body: unknown): Message {
  const outer = parse(body, 'the body');
  if (!('oslo.version' in outer && 'oslo.message' in outer)) return outer;
  const version = outer['oslo.version'];
  if (version !== '2.0') throw malformed(`its envelope version is ${describe(version)}, not "2.0"`);
  return parse(outer['oslo.message'], 'oslo.message');
}

/** The caller's request context, without its token. */
export function contextOf(message: Message): RequestContext {
  const requestId = message._context_request_id;
  const timestamp = parseTime(message._context_timestamp);
  return {
    ...(typeof requestId === 'string' ? { requestId } : {}),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

/** `2026-11-20 20:36:30.971915`, in UTC, as OpenStack writes it → milliseconds since the epoch. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const iso = text.replace(' ', 'T');
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** 32 hexadecimal digits. */
export function newId(): string {
  return randomUUID().replaceAll('-', '');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(problem: string, cause?: unknown) {
  return errors.make('MESSAGING_MALFORMED', { problem }, { cause });
}

/** The AMQP library has parsed some bodies already, by their content type. */
function parse(value: unknown, what: string): Message {
  let parsed = value;
  if (Buffer.isBuffer(value) || typeof value === 'string') {
    try {
      parsed = JSON.parse(value.toString());
    } catch (cause) {
      // The cause quotes the text, which may hold a token.
      throw malformed(`${what} is not JSON (${cause instanceof SyntaxError ? 'syntax' : 'too deep'})`);
    }
  }
  if (!isObject(parsed)) throw malformed(`${what} is no JSON object`);
  return parsed;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 20)) : typeof value;
}
