import type { IncomingMessage } from 'node:http';
import fastify, { type FastifyInstance } from 'fastify';
import type { Appliance } from '../appliance.ts';
import { errors } from '../errors.ts';
import type { Log } from '../log.ts';
import { configRoutes } from './config-routes.ts';
import { answerError } from './error-answer.ts';
import { infoRoutes } from './info-routes.ts';

export interface ApiOptions {
  /** Whose request this is. The host knows by the socket that it came in on; undefined: nobody's, answered with 404. */
  readonly resolve: (request: IncomingMessage) => Appliance | undefined;
  readonly log?: Log;
}

/** Bytes. 100,000 allocations are about 20 MB. */
const BODY_LIMIT = 64 * 1024 * 1024;

/**
 * The appliance's REST API, version 1, for all appliances of this process. It does not listen: after `await app.ready()` the
 * host passes requests into `app.routing(request, response)`.
 */
export function createApi({ resolve, log }: ApiOptions): FastifyInstance {
  const app = fastify({ bodyLimit: BODY_LIMIT, exposeHeadRoutes: false });
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log));
  app.setNotFoundHandler((request, reply) => {
    return answerError(errors.make('APPLIANCE_NOT_FOUND', { what: `${request.method} ${request.url}` }), reply, log);
  });
  const appliance = (request: IncomingMessage) => {
    const found = resolve(request);
    if (found === undefined) throw errors.make('APPLIANCE_NOT_FOUND', { what: 'appliance behind this socket' });
    return found;
  };
  infoRoutes(app, appliance);
  configRoutes(app, appliance);
  return app;
}
