import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Netns } from '@astara/kernel/contract.ts';
import type { Log } from '../../log.ts';
import { METADATA_PORT } from '../firewall/render.ts';
import { type Health, type Known, known, type Runner, type RunnerContext, type Whole } from '../service.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { findClient, type MetadataClient, type MetadataState } from './state.ts';

/** Bytes of a request's body: Nova takes an encrypted password, nothing larger. */
const BODY_LIMIT = 64 * 1024;
/** Requests under way, of all clients and of one. */
const CONCURRENCY = 128;
const CONCURRENCY_PER_CLIENT = 16;
const UPSTREAM_TIMEOUT = 30_000;

/**
 * Answers 169.254.169.254 for the machines of one appliance: a socket in its namespace, in this process. The firewall lets
 * redirected requests of internal interfaces through to it and nothing else.
 */
export class MetadataProxy implements Runner<MetadataState | undefined, Whole<MetadataState | undefined>> {
  readonly #netns: Netns;
  readonly #log: Log;
  #state: MetadataState | undefined;
  #server: Server | undefined;
  #total = 0;
  readonly #perClient = new Map<string, number>();

  constructor({ home, log }: RunnerContext) {
    this.#netns = home.netns;
    this.#log = log;
  }

  async adopt(): Promise<void> {}

  async observe(): Promise<Known<MetadataState | undefined>> {
    return known(this.running ? this.#state : undefined);
  }

  get running(): boolean {
    return this.#server?.listening ?? false;
  }

  async execute({ to }: Whole<MetadataState | undefined>): Promise<void> {
    this.#state = to;
    if (to === undefined) await this.release();
    else if (this.#server === undefined) this.#server = await this.#listen();
  }

  async health(state: MetadataState | undefined): Promise<Health> {
    return { wanted: state !== undefined, running: this.running };
  }

  /** Requests are not answered until another one listens. */
  async release(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    await promise;
  }

  async #listen(): Promise<Server> {
    const fd = await this.#netns.listenTcp('0.0.0.0', METADATA_PORT);
    const server = createServer({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16 * 1024,
    });
    server.maxConnections = 1024;
    server.on('request', (incoming, outgoing) => this.#handle(incoming, outgoing));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen({ fd }, resolve);
    await promise;
    server.off('error', reject);
    server.on('error', (error) => this.#log.error({ err: error }, 'metadata proxy failed'));
    return server;
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const source = plain(incoming.socket.remoteAddress);
    const state = this.#state;
    const client = state && findClient(state, source, plain(incoming.socket.localAddress));
    if (state === undefined || client === undefined) {
      refuse(outgoing, 404, 'no instance has this address\n');
    } else if (!incoming.url?.startsWith('/')) {
      refuse(outgoing, 400, 'bad request target\n');
    } else if (Number(incoming.headers['content-length'] ?? 0) > BODY_LIMIT) {
      refuse(outgoing, 413, 'too large\n');
    } else if (!this.#admit(source)) {
      refuse(outgoing, 503, 'too many requests under way\n');
    } else {
      outgoing.once('close', () => this.#release(source));
      this.#forward(state, client, source, incoming, outgoing);
    }
  }

  #forward(
    state: MetadataState,
    client: MetadataClient,
    source: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): void {
    const upstream = request({
      ...state.endpoint,
      agent: false,
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: requestHeaders(incoming.headers, client, source),
      timeout: UPSTREAM_TIMEOUT,
    });
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, responseHeaders(answer.headers));
      answer.pipe(outgoing);
      // Half an answer must not look like a whole one.
      answer.on('error', () => outgoing.destroy());
    });
    upstream.on('timeout', () => upstream.destroy(new Error(`no answer within ${UPSTREAM_TIMEOUT} ms`)));
    upstream.on('error', (error) => {
      if (outgoing.destroyed) return;
      this.#log.warn({ err: error, source }, 'metadata request failed');
      if (outgoing.headersSent) outgoing.destroy();
      else refuse(outgoing, 503, 'the metadata service is away\n');
    });
    outgoing.on('close', () => upstream.destroy());

    let received = 0;
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received <= BODY_LIMIT) return;
      if (!outgoing.headersSent) refuse(outgoing, 413, 'too large\n');
      upstream.destroy();
    });
    incoming.on('error', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  #admit(source: string): boolean {
    const own = this.#perClient.get(source) ?? 0;
    if (this.#total >= CONCURRENCY || own >= CONCURRENCY_PER_CLIENT) return false;
    this.#total += 1;
    this.#perClient.set(source, own + 1);
    return true;
  }

  #release(source: string): void {
    this.#total -= 1;
    const own = (this.#perClient.get(source) ?? 1) - 1;
    if (own === 0) this.#perClient.delete(source);
    else this.#perClient.set(source, own);
  }
}

/** The connection is closed after it: what is left of the request's body is not read. */
function refuse(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain', connection: 'close' });
  outgoing.end(text);
}

/** An IPv4 address may come in its IPv6 form. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '');
}
