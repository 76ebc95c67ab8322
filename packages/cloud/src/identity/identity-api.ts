import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { isObject } from '../api/parse.ts';
import { newRequestId } from '../api/requests.ts';
import { baseOf, headerOf, parseJson } from '../api/server.ts';
import type { Store } from '../store/store.ts';
import { authenticate } from './authenticate.ts';
import { catalogOf, type Service } from './catalog.ts';
import { badBody, IdentityFault, unauthorized } from './fault.ts';
import type { Asked, Route } from './route.ts';
import { directoryRoutes } from './routes.ts';
import { tokenView } from './token-view.ts';
import type { Token, Tokens } from './tokens.ts';

export interface Identity {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly services: readonly Service[];
  readonly log: Logger;
}

const root = '/identity';

/** Keystone v3, as far as the `openstack` client and services need it. */
export function serveIdentity(app: FastifyInstance, identity: Identity): void {
  const { tokens, store, services, log } = identity;
  app.get(root, (request, reply) => reply.code(300).send({ versions: { values: [version(request)] } }));
  app.get(`${root}/`, (request, reply) => reply.code(300).send({ versions: { values: [version(request)] } }));
  app.get(`${root}/v3`, (request) => ({ version: version(request) }));
  app.get(`${root}/v3/`, (request) => ({ version: version(request) }));

  const on = (method: Route['method'], path: string, run: (request: FastifyRequest, reply: FastifyReply) => unknown) =>
    app.route({
      method,
      url: `${root}/v3${path}`,
      handler: (request, reply) => answer(request, reply, log, run),
    });
  const view = (request: FastifyRequest, token: Token) => {
    const bare = new URL(request.url, baseOf(request)).searchParams.has('nocatalog');
    return tokenView(store, tokens, token, bare ? undefined : { services, base: baseOf(request) });
  };

  on('POST', '/auth/tokens', (request, reply) => {
    const token = authenticate(store, tokens, bodyOf(request));
    reply.code(201).header('x-subject-token', token.id);
    return view(request, token);
  });
  on('GET', '/auth/tokens', (request, reply) => {
    bearer(tokens, request);
    const token = subject(tokens, request);
    reply.header('x-subject-token', token.id);
    return view(request, token);
  });
  on('DELETE', '/auth/tokens', (request, reply) => {
    bearer(tokens, request);
    tokens.revoke(subject(tokens, request).id);
    reply.code(204);
  });
  on('GET', '/auth/catalog', (request) => {
    bearer(tokens, request);
    return {
      catalog: catalogOf(services, baseOf(request)),
      links: { self: `${baseOf(request)}${root}/v3/auth/catalog` },
    };
  });
  for (const route of directoryRoutes(store, tokens, services)) {
    on(route.method, route.path, (request, reply) => {
      const token = bearer(tokens, request);
      const isAdmin = tokens.rolesOf(token).some((role) => role.name === 'admin');
      const asked: Asked = {
        token,
        isAdmin,
        parameters: request.params as Readonly<Record<string, string>>,
        query: new URL(request.url, baseOf(request)).searchParams,
        body: bodyOf(request),
        self: `${baseOf(request)}${root}/v3`,
      };
      const { status, body } = store.transaction(() => route.run(asked));
      reply.code(status);
      return body;
    });
  }
}

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
  run: (request: FastifyRequest, reply: FastifyReply) => unknown,
): FastifyReply {
  reply.header('vary', 'X-Auth-Token').header('x-openstack-request-id', newRequestId());
  try {
    const body = run(request, reply);
    return body === undefined ? reply.send() : reply.type('application/json').send(JSON.stringify(body));
  } catch (error) {
    if (error instanceof IdentityFault) {
      if (error.status === 401) reply.header('www-authenticate', `Keystone uri="${baseOf(request)}${root}"`);
      return reply.code(error.status).send(error.body());
    }
    log.error({ err: error, method: request.method, path: request.routeOptions.url }, 'a request failed');
    return reply.code(500).send({ error: { code: 500, message: 'internal error', title: 'Internal Server Error' } });
  }
}

function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const body = parseJson(request.body);
  if (!isObject(body)) throw badBody('Expecting to find valid JSON in request body.');
  return body;
}

function bearer(tokens: Tokens, request: FastifyRequest): Token {
  const token = tokens.find(headerOf(request, 'x-auth-token') ?? '');
  if (token === undefined) throw unauthorized();
  return token;
}

function subject(tokens: Tokens, request: FastifyRequest): Token {
  const token = tokens.find(headerOf(request, 'x-subject-token') ?? '');
  if (token === undefined) throw new IdentityFault(404, 'Could not recognize Fernet token');
  return token;
}

function version(request: FastifyRequest): unknown {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${baseOf(request)}${root}/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  };
}
