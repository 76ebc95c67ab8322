import { randomUUID } from 'node:crypto';
import { errors } from './errors.ts';

/** A decoded message: the keys of `oslo.message`. */
export type Message = Readonly<Record<string, unknown>>;

/** @throws TypeError when something in the message is no JSON value. */
export function encodeMessage(message: Message): string {
  return JSON.stringify(message);
}

/** oslo.messaging envelope 2.0: JSON in JSON. */
export function wrapEnvelope(text: string): Buffer {
  return Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': text }));
}

/**
 * Body of an AMQP message → message. A body without an envelope is the message itself (notification driver `messaging`,
 * and all within one process).
 * @throws MESSAGING_MALFORMED, and nothing else, whatever comes.
 */
export function decodeEnvelope(body: unknown): Message {
  const outer = parse(body, 'the body');
  if (!('oslo.version' in outer && 'oslo.message' in outer)) return outer;
  const version = outer['oslo.version'];
  if (version !== '2.0') throw malformed(`its envelope version is ${describe(version)}, not "2.0"`);
  return parse(outer['oslo.message'], 'oslo.message');
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
