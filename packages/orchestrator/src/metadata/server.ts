import { createHmac } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { AstaraError } from '@astara/model/error.ts';
import type { Logger } from 'pino';
import { Agent, type Dispatcher } from 'undici';
import { errors } from '../errors.ts';

export interface MetadataServerOptions {
  /** Path of the unix socket. Only root and its group may open it: whoever may, can ask for any instance's metadata. */
  readonly socket: string;
  /** `http://host:port` of Nova's metadata service. */
  readonly novaUrl: string;
  /** Nova's `[neutron] metadata_proxy_shared_secret`. */
  readonly sharedSecret: string;
  readonly logger: Logger;
  /** Authorities that sign Nova's certificate, PEM; `false`: any certificate will do. */
  readonly ca?: string | false;
  /** Milliseconds for Nova to accept, to begin to answer, and between two pieces of its answer. */
  readonly timeouts?: { readonly connect: number; readonly headers: number; readonly body: number };
  readonly maxRequests?: number;
  /** Bytes of a request: an instance posts its encrypted password, nothing larger. */
  readonly maxBody?: number;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT'] as const;
/** What of a guest's request Nova may want to know. */
const passed = ['accept', 'content-type', 'user-agent'] as const;
const returned = ['content-type', 'content-length', 'etag', 'last-modified', 'cache-control'] as const;

/**
 * Answers the metadata requests that appliances pass on: signs the instance id with the secret that Nova shares with us, asks Nova
 * and streams its answer back.
 */
export class MetadataServer {
  readonly #options: Required<Omit<MetadataServerOptions, 'ca'>>;
  readonly #server: Server;
  readonly #nova: Agent;
  #underway = 0;

  constructor(options: MetadataServerOptions) {
    this.#options = {
      timeouts: { connect: 3_000, headers: 30_000, body: 30_000 },
      maxRequests: 256,
      maxBody: 64 * 1024,
      ...options,
    };
    const { connect, headers, body } = this.#options.timeouts;
    const tls =
      options.ca === undefined ? {} : options.ca === false ? { rejectUnauthorized: false } : { ca: options.ca };
    this.#nova = new Agent({
      connect: { timeout: connect, ...tls },
      headersTimeout: headers,
      bodyTimeout: body,
      connections: 32,
    });
    this.#server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
      void this.#handle(request, response);
    });
  }

  async start(): Promise<void> {
    const { socket } = this.#options;
    await rm(socket, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    const umask = process.umask(0o117);
    try {
      this.#server.listen(socket, resolve);
    } finally {
      process.umask(umask);
    }
    await promise;
    await chmod(socket, 0o660);
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    await Promise.race([promise, new Promise((done) => setTimeout(done, 2_000).unref())]);
    this.#server.closeAllConnections();
    await this.#nova.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underway += 1;
    try {
      if (this.#underway > this.#options.maxRequests) {
        throw errors.make('METADATA_BUSY', { limit: this.#options.maxRequests });
      }
      await this.#forward(request, response);
    } catch (error) {
      this.#fail(response, error);
    } finally {
      this.#underway -= 1;
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { novaUrl, sharedSecret } = this.#options;
    const method = methods.find((known) => known === request.method);
    if (method === undefined) throw errors.make('METADATA_BAD_REQUEST', { reason: `method ${request.method}` });
    const path = request.url ?? '';
    if (!path.startsWith('/')) throw errors.make('METADATA_BAD_REQUEST', { reason: 'the path is not absolute' });
    const instance = one(request, 'x-instance-id');
    const tenant = one(request, 'x-tenant-id');
    const from = one(request, 'x-forwarded-for');
    const body = method === 'POST' || method === 'PUT' ? await this.#body(request) : null;

    const answer = await this.#ask({
      origin: novaUrl,
      path,
      method,
      headers: {
        ...pick(request.headers, passed),
        'x-forwarded-for': from,
        'x-tenant-id': tenant,
        'x-instance-id': instance,
        'x-instance-id-signature': createHmac('sha256', sharedSecret).update(instance).digest('hex'),
      },
      body,
    });
    response.writeHead(answer.statusCode, pick(answer.headers, returned));
    try {
      await pipeline(answer.body, response);
    } catch (error) {
      // The status has been sent: all that is left is to end the connection. Guests that go away early are none of our business.
      this.#options.logger.debug({ err: error, path }, 'metadata answer not delivered whole');
      response.destroy();
    }
  }

  async #ask(request: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#nova.request(request);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw errors.make('METADATA_UNREACHABLE', { url: this.#options.novaUrl, reason }, { cause: error });
    }
  }

  async #body(request: IncomingMessage): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of request as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > this.#options.maxBody) throw errors.make('METADATA_BAD_REQUEST', { reason: 'the body is too large' });
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  #fail(response: ServerResponse, error: unknown): void {
    const known = error instanceof AstaraError;
    this.#options.logger[known && error.retry === 'terminal' ? 'debug' : 'warn'](
      { err: error },
      'metadata request failed',
    );
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // A guest reads this: what failed, but nothing of the cloud's insides.
    const [status, text] = known ? [error.status, guestText(error)] : [500, 'Internal error'];
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 503 ? { 'retry-after': '1' } : {}),
      connection: 'close',
    });
    response.end(`${text}\n`);
  }
}

function guestText(error: AstaraError): string {
  if (error.code === 'METADATA_UNREACHABLE')
    return 'The metadata service of the cloud does not answer; try again later.';
  if (error.code === 'METADATA_BUSY') return 'Too many metadata requests; try again.';
  return error.message;
}

/** A header that the appliance must have set, exactly once: node joins doubled ones with a comma. */
function one(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  if (typeof value !== 'string' || value === '' || value.includes(',')) {
    throw errors.make('METADATA_BAD_REQUEST', { reason: `${name} is missing or doubled` });
  }
  return value;
}

function pick(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') picked[name] = value;
  }
  return picked;
}
