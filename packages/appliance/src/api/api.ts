import type { IncomingMessage } from 'node:http';
import fastify, { type FastifyInstance } from 'fastify';
import type { Appliance } from '../appliance.ts';
import { errors } from '../errors.ts';
import type { Log } from '../log.ts';
import { BODY_LIMIT, parseBody } from './body.ts';
import { answerError } from './error-answer.ts';
import { allowed } from './methods.ts';
import { server } from './serve.ts';
import { v1Routes } from './v1/routes.ts';
import { aboutRoutes } from './v2/about-routes.ts';
import { configRoutes } from './v2/config-routes.ts';
import { eventRoutes } from './v2/event-routes.ts';
import { historyRoutes } from './v2/history-routes.ts';
import { stateRoutes } from './v2/state-routes.ts';
import { statsRoutes } from './v2/stats-routes.ts';

export interface ApiOptions {
  /** Whose request this is. The host knows by the socket that it came in on; undefined: nobody's, answered with 404. */
  readonly resolve: (request: IncomingMessage) => Appliance | undefined;
  readonly log?: Log;
}

/**
 * The appliance's REST API, `/v1/` and `/v2/`, for all appliances of this process. It does not listen: after `await app.ready()`
 * the host passes requests into `app.routing(request, response)`.
 */
export function createApi({ resolve, log }: ApiOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    routerOptions: { ignoreTrailingSlash: true },
    frameworkErrors: (_error, _request, reply) => {
      const reason = 'it is not well-formed (RFC 3986)';
      answerError(errors.make('APPLIANCE_PARAMETER_REFUSED', { name: 'path', reason }), reply, log);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/json\s*(;|$)/i,
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => {
      return body.length === 0 ? undefined : parseBody(body);
    },
  );
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log));
  app.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    const allow = allowed(url);
    const [path = ''] = url.split('?');
    if (allow === undefined) {
      return answerError(errors.make('APPLIANCE_NOT_FOUND', { what: `${method} ${path}` }), reply, log);
    }
    reply.header('allow', allow);
    if (method === 'OPTIONS') return reply.code(204).send();
    return answerError(errors.make('APPLIANCE_METHOD_REFUSED', { path, method, allowed: allow }), reply, log);
  });
  const serve = server(app, (request) => {
    const found = resolve(request);
    if (found === undefined) throw errors.make('APPLIANCE_NOT_FOUND', { what: 'appliance behind this socket' });
    return found;
  });
  v1Routes(serve);
  aboutRoutes(serve);
  configRoutes(serve);
  historyRoutes(serve);
  stateRoutes(serve);
  statsRoutes(serve);
  eventRoutes(serve);
  return app;
}
