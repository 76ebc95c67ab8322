import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Endpoints, Netns } from '@astara/kernel/contract.ts';
import type { Log } from '../../log.ts';
import { METADATA_PORT } from '../firewall/chains.ts';
import { type Health, type Known, known, type Runner, type RunnerContext, type Whole } from '../service.ts';
import { AnswerCache, cacheKey, lifetime, MAX_ANSWER } from './cache.ts';
import { type MetadataCounters, noCounters } from './counters.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { Admission } from './limits.ts';
import { findClient, type MetadataClient, type MetadataState } from './state.ts';
import { Upstream } from './upstream.ts';

/** Bytes of a request's body: Nova takes an encrypted password, nothing larger. */
const BODY_LIMIT = 64 * 1024;

const server = {
  /** ms; slow clients are cut off, whether they are slow to ask or slow to read. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
  /** Bytes, with the path. */
  maxHeaderSize: 16 * 1024,
} as const;
const IDLE = 30_000;
const MAX_CONNECTIONS = 1_024;
const MAX_HEADERS = 64;
const soon = { 'retry-after': '1' };

/**
 * Answers 169.254.169.254 and fe80::a9fe:a9fe for the machines of one appliance: sockets in its namespace, in this process. The firewall lets
 * redirected requests of internal interfaces through to it and nothing else.
 */
export class MetadataProxy implements Runner<MetadataState | undefined, Whole<MetadataState | undefined>> {
  readonly counters: MetadataCounters = noCounters();
  readonly #netns: Netns;
  readonly #log: Log;
  readonly #admission = new Admission();
  readonly #cache = new AnswerCache();
  readonly #upstream = new Upstream();
  #state: MetadataState | undefined;
  /** One for each family, as far as it is there. */
  #servers: readonly Server[] = [];
  readonly #endpoints = new WeakMap<Socket, Endpoints>();

  constructor({ home, log }: RunnerContext) {
    this.#netns = home.netns;
    this.#log = log;
  }

  async adopt(): Promise<void> {}

  async observe(): Promise<Known<MetadataState | undefined>> {
    return known(this.running ? this.#state : undefined);
  }

  get running(): boolean {
    return this.#servers.length > 0 && this.#servers.every(({ listening }) => listening);
  }

  async execute({ to }: Whole<MetadataState | undefined>): Promise<void> {
    // Who has an address may have changed, and where the answers come from.
    this.#cache.clear();
    this.#state = to;
    if (to === undefined) await this.#close();
    else if (this.#servers.length === 0) await this.#open();
  }

  async health(state: MetadataState | undefined): Promise<Health> {
    return { wanted: state !== undefined, running: this.running, detail: this.counters };
  }

  /** Requests are not answered until another one listens. */
  async release(): Promise<void> {
    await this.#close();
    this.#upstream.close();
  }

  async #close(): Promise<void> {
    this.#cache.clear();
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(servers.map(closeServer));
  }

  async #open(): Promise<void> {
    const servers = [await this.#listen('0.0.0.0')];
    try {
      servers.push(await this.#listen('::'));
    } catch (error) {
      this.#log.warn({ err: error }, 'metadata is not served over IPv6');
    }
    this.#servers = servers;
  }

  async #listen(address: string): Promise<Server> {
    const fd = await this.#netns.listenTcp(address, METADATA_PORT);
    const listening = createServer(server);
    listening.maxConnections = MAX_CONNECTIONS;
    listening.maxHeadersCount = MAX_HEADERS;
    listening.setTimeout(IDLE);
    listening.on('connection', (socket) => this.#welcome(socket));
    listening.on('request', (incoming, outgoing) => this.#handle(incoming, outgoing));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listening.once('error', reject);
    listening.listen({ fd }, resolve);
    await promise;
    listening.off('error', reject);
    listening.on('error', (error) => this.#log.error({ err: error }, 'metadata proxy failed'));
    return listening;
  }

  #welcome(socket: Socket): void {
    const endpoints = this.#netns.endpoints(socket);
    this.#endpoints.set(socket, endpoints);
    const source = endpoints.remote;
    if (this.#admission.connect(source)) {
      socket.once('close', () => this.#admission.disconnect(source));
    } else {
      this.counters.refused.connections += 1;
      socket.destroy();
    }
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { counters } = this;
    counters.requests += 1;
    const { local, remote: source } = this.#endpoints.get(incoming.socket) ?? { local: '', remote: '' };
    const state = this.#state;
    const client = state && findClient(state, source, local);
    const admission = this.#admission.request(source, state?.requestsPerSecond ?? 1);
    if (admission !== 'admitted') {
      counters.refused[admission] += 1;
      if (admission === 'busy') refuse(outgoing, 503, 'too many requests under way\n', soon);
      else refuse(outgoing, 429, 'too many requests\n', soon);
      return;
    }
    outgoing.once('close', () => this.#admission.done(source));
    if (state === undefined || client === undefined) {
      counters.unknown += 1;
      refuse(outgoing, 404, 'no instance has this address\n');
    } else if (!incoming.url?.startsWith('/')) {
      counters.refused.invalid += 1;
      refuse(outgoing, 400, 'bad request target\n');
    } else if (Number(incoming.headers['content-length'] ?? 0) > BODY_LIMIT) {
      counters.refused.invalid += 1;
      refuse(outgoing, 413, 'too large\n');
    } else if (this.#answerFromMemory(state, client, source, incoming, outgoing)) {
      counters.cached += 1;
    } else if (!this.#admission.forward()) {
      counters.refused.often += 1;
      refuse(outgoing, 503, 'too many requests of all instances\n', soon);
    } else {
      void this.#forward(state, client, source, incoming, outgoing);
    }
  }

  #answerFromMemory(
    state: MetadataState,
    client: MetadataClient,
    source: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): boolean {
    const key = state.cacheSeconds === 0 ? undefined : keyOf(incoming);
    const found = key === undefined ? undefined : this.#cache.get(nameOf(client, source), key);
    if (found === undefined) return false;
    outgoing.writeHead(200, { ...found.answer.headers, age: String(found.age) });
    outgoing.end(found.answer.body);
    return true;
  }

  async #forward(
    state: MetadataState,
    client: MetadataClient,
    source: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const { method = 'GET', url: path = '/' } = incoming;
    this.counters.forwarded += 1;
    if (method !== 'GET' && method !== 'HEAD') this.#cache.forget(nameOf(client, source));
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    const body = hasBody(incoming) ? incoming : undefined;
    if (body !== undefined) this.#limit(incoming, outgoing, gone);
    const question = {
      method,
      path,
      headers: requestHeaders(incoming.headers, client, source.replace(/%.*/, '')),
      body,
    };
    try {
      const answer = await this.#upstream.ask(state.endpoint, question, gone.signal);
      // Half an answer must not look like a whole one.
      answer.on('error', () => outgoing.destroy());
      this.#remember(state, nameOf(client, source), incoming, answer);
      outgoing.writeHead(answer.statusCode ?? 502, responseHeaders(answer.headers));
      answer.pipe(outgoing);
    } catch (error) {
      if (gone.signal.aborted) return;
      this.counters.failed += 1;
      this.#log.warn({ err: error, source }, 'metadata request failed');
      if (outgoing.headersSent) outgoing.destroy();
      else refuse(outgoing, 503, 'the metadata service is away\n');
    }
  }

  /** A body without a length, or with a false one. */
  #limit(incoming: IncomingMessage, outgoing: ServerResponse, gone: AbortController): void {
    let received = 0;
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received <= BODY_LIMIT) return;
      this.counters.refused.invalid += 1;
      gone.abort();
      if (!outgoing.headersSent) refuse(outgoing, 413, 'too large\n');
    });
    incoming.on('error', () => gone.abort());
  }

  #remember(state: MetadataState, client: string, incoming: IncomingMessage, answer: IncomingMessage): void {
    const key = keyOf(incoming);
    const seconds = lifetime(answer.statusCode, answer.headers, state.cacheSeconds);
    if (key === undefined || seconds === 0) return;
    const pieces: Buffer[] = [];
    let size = 0;
    answer.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= MAX_ANSWER) pieces.push(piece);
      else pieces.length = 0;
    });
    answer.on('end', () => {
      // What was asked for before a change must not be kept after it.
      if (!answer.complete || size > MAX_ANSWER || this.#state !== state) return;
      this.#cache.put(client, key, { headers: responseHeaders(answer.headers), body: Buffer.concat(pieces) }, seconds);
    });
  }
}

function keyOf(incoming: IncomingMessage): string | undefined {
  return hasBody(incoming) ? undefined : cacheKey(incoming.method, incoming.url ?? '', incoming.headers);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** All that Nova is told about who asks. */
function nameOf({ instanceId, tenantId }: MetadataClient, source: string): string {
  return [instanceId, tenantId, source].join(' ');
}

/** The connection is closed after it: what is left of the request's body is not read. */
function refuse(outgoing: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain', connection: 'close', ...headers });
  outgoing.end(text);
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}
