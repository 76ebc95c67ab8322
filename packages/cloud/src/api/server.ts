import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Incoming } from './collection.ts';
import { badRequest, Fault } from './fault.ts';
import type { NeutronApi } from './neutron-api.ts';
import { isObject } from './parse.ts';
import { newRequestId } from './requests.ts';
import type { Caller } from './resource.ts';

/** Whose token it is; undefined: nobody's. */
export type Authenticate = (token: string | undefined) => Omit<Caller, 'requestId' | 'timestamp'> | undefined;

/** Bulk creates are large. */
const bodyLimit = 64 * 1024 * 1024;

/** A server that takes bodies as they are: what is wrong with them, each API says in its own words. */
export function createServer(log: Logger): FastifyInstance {
  const app = fastify({ logger: false, bodyLimit, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // As OpenStack names it: without a charset.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json');
    done(null, payload);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error, method: request.method, path: pathOf(request) }, 'a request failed');
    return reply
      .code(status)
      .send({ error: { code: status, message: status < 500 ? error.message : 'internal error' } });
  });
  return app;
}

const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0] ?? '';

/** What is nested deeper could not be written again: JSON.stringify recurses. */
const deepest = 64;

/** The bytes as JSON; undefined when they are not. No bytes are `{}`. */
export function parseJson(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isWithin(value, deepest) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((item) => isWithin(item, depth - 1));
}

/** `http://127.0.0.1:9696`, as the client sees the server. */
export function baseOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

/** Neutron: `/`, `/v2.0/…`. */
export function serveNeutron(app: FastifyInstance, api: NeutronApi, authenticate: Authenticate, log: Logger): void {
  app.get('/', (request) => ({
    versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${baseOf(request)}/v2.0/` }] }],
  }));
  const serve = (request: FastifyRequest, reply: FastifyReply) => {
    const requestId = newRequestId();
    reply.header('x-openstack-request-id', requestId);
    const known = authenticate(headerOf(request, 'x-auth-token'));
    if (known === undefined) return unauthorized(request, reply);
    try {
      const incoming = read(request, { ...known, requestId, timestamp: Date.now() });
      const path = wordsOf(incoming.url.pathname);
      if (path.length === 0) return reply.send(api.resources(baseOf(request)));
      const { status, body } = api.serve(incoming, path);
      reply.code(status);
      return body === undefined ? reply.send() : reply.type('application/json').send(JSON.stringify(body));
    } catch (error) {
      return refuse(error, request, reply, log);
    }
  };
  app.all('/v2.0', serve);
  app.all('/v2.0/*', serve);
}

export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function unauthorized(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = 'The request you have made requires authentication.';
  return reply
    .code(401)
    .header('www-authenticate', `Keystone uri="${baseOf(request)}/identity"`)
    .send({ error: { code: 401, title: 'Unauthorized', message } });
}

function read(request: FastifyRequest, caller: Caller): Incoming {
  const body = parseJson(request.body);
  if (!isObject(body)) throw badRequest('Body contains invalid data');
  return {
    caller,
    method: request.method === 'HEAD' ? 'GET' : request.method,
    url: new URL(request.url, baseOf(request)),
    body,
    ifMatch: headerOf(request, 'if-match'),
  };
}

/** The words behind `/v2.0`; `.json` at the end means nothing. */
function wordsOf(pathname: string): readonly string[] {
  const words = pathname
    .replace(/\.json$/, '')
    .split('/')
    .slice(2)
    .map(decode);
  return words.at(-1) === '' ? words.slice(0, -1) : words;
}

function decode(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw badRequest('The path is not encoded as a URL is');
  }
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): FastifyReply {
  if (error instanceof Fault) {
    return reply.code(error.status).send({ NeutronError: { type: error.type, message: error.message, detail: '' } });
  }
  log.error({ err: error, method: request.method, path: pathOf(request) }, 'a request failed');
  const message = 'Request Failed: internal server error while processing your request.';
  return reply.code(500).send({ NeutronError: { type: 'HTTPInternalServerError', message, detail: '' } });
}
