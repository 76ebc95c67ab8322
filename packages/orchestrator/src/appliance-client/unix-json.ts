import { Agent, request } from 'node:http';

/**
 * HTTP with JSON bodies over unix sockets, kept alive. On node:http, which the process has loaded anyway: undici's
 * package costs 11 MB of memory more, and a request over a unix socket is as fast without it.
 */
export class UnixJson {
  readonly #agent: Agent;

  /** `sockets`: connections to one path at once; `idle`: ms after which an unused connection is closed. */
  constructor(options: { readonly sockets: number; readonly idle: number }) {
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.sockets,
      maxFreeSockets: 1,
      timeout: options.idle,
      scheduling: 'lifo',
    });
  }

  /** Rejects with the signal's reason, or with the error of the connection. A status is no error. */
  async send(call: Call): Promise<Answer> {
    try {
      return await this.#once(call);
    } catch (error) {
      // The peer closed a kept connection just when we used it. What we send may be sent twice.
      if (error instanceof StaleConnection && !call.signal.aborted) return await this.#once(call);
      throw error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once({ socket, method, path, body, signal }: Call): Promise<Answer> {
    signal.throwIfAborted();
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const sent = request({
      agent: this.#agent,
      socketPath: socket,
      method,
      path,
      headers: {
        host: 'astara',
        accept: 'application/json',
        // RFC 7240: we know what we have sent.
        prefer: 'return=minimal',
        ...(payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {}),
      },
    });
    const abort = () => sent.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    const fail = (error: Error) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason);
      else reject(sent.reusedSocket && isReset(error) ? new StaleConnection(error) : error);
    };
    sent.on('error', fail);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        signal.removeEventListener('abort', abort);
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    sent.end(payload);
    return promise;
  }
}

export interface Call {
  /** Path of the unix socket. */
  readonly socket: string;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** Whether the signal ended the call because its time was up (and not because we are closing). */
export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

/** undefined when it is not JSON: every answer is checked against a schema afterwards, and that says so. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
