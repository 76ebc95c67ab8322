import { AstaraError } from '@astara/model/error.ts';
import { isObject } from './envelope.ts';
import { RemoteError } from './errors.ts';

const dispatcher = 'oslo_messaging.rpc.dispatcher';

/** What oslo.messaging puts into `failure`: an exception as JSON text. Ours has no traceback. */
export function encodeFailure(error: unknown): string {
  const { name, module, message } = describe(error);
  return JSON.stringify({ class: name, module, message, tb: [], args: [message], kwargs: {} });
}

/** The `failure` of an answer as the error the caller gets; whatever its shape. */
export function decodeFailure(failure: unknown, call: { topic: string; method: string }): RemoteError {
  let parsed = failure;
  if (typeof failure === 'string') {
    try {
      parsed = JSON.parse(failure);
    } catch {
      parsed = { class: 'RemoteError', message: failure };
    }
  }
  const field = (key: string) => (isObject(parsed) && typeof parsed[key] === 'string' ? parsed[key] : '');
  return new RemoteError(
    { class: field('class') || 'RemoteError', module: field('module'), message: field('message') },
    { topic: call.topic, method: call.method },
  );
}

/** Answered as oslo's dispatcher answers it, so that callers that look at the class understand it. */
export class NoSuchMethod extends Error {
  override readonly name = 'NoSuchMethod';
  constructor(method: string) {
    super(`Endpoint does not support RPC method ${method}`);
  }
}

export class UnsupportedVersion extends Error {
  override readonly name = 'UnsupportedVersion';
  constructor(version: string, method: string) {
    super(`Endpoint does not support RPC version ${version}. Attempted method: ${method}`);
  }
}

/** As oslo: same major, and a minor not above ours. */
export function versionFits(ours: string, asked: string): boolean {
  const [major, minor] = ours.split('.').map(Number);
  const [askedMajor, askedMinor = 0] = asked.split('.').map(Number);
  return major === askedMajor && askedMinor <= (minor ?? 0);
}

function describe(error: unknown): { name: string; module: string; message: string } {
  if (error instanceof NoSuchMethod || error instanceof UnsupportedVersion) {
    return { name: error.name, module: dispatcher, message: error.message };
  }
  if (error instanceof AstaraError) return { name: error.code, module: 'astara', message: error.message };
  if (error instanceof Error) return { name: error.name, module: 'astara', message: error.message };
  return { name: 'Error', module: 'astara', message: String(error) };
}
