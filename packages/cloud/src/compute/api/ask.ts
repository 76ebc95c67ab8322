import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Answer } from '../../api/operation.ts';
import { isObject } from '../../api/parse.ts';
import { newRequestId, type Requests } from '../../api/requests.ts';
import type { Caller, Context } from '../../api/resource.ts';
import { type Authenticate, baseOf, headerOf, parseJson } from '../../api/server.ts';
import { badRequest, NovaFault } from '../fault.ts';

/** A request to Nova's or Glance's API. */
export interface Ask {
  readonly caller: Caller;
  /** By name of the parameter in the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** `{}` when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** URL of the API, up to and without the version: `http://127.0.0.1:9696/compute`. */
  readonly url: string;
  /** In one transaction. */
  run<T>(work: (context: Context) => T): T;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the version, as fastify writes it: `/servers/:id`. */
  readonly path: string;
  run(ask: Ask): Answer | Promise<Answer>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

export interface Served {
  readonly requests: Requests;
  readonly authenticate: Authenticate;
  readonly log: Logger;
}

/** Serves routes below `prefix` to whoever has a token. */
export function serveRoutes(app: FastifyInstance, prefix: string, routes: readonly Route[], served: Served): void {
  const [api = ''] = prefix.slice(1).split('/');
  for (const { method, path, run } of routes) {
    app.route({
      method,
      url: `${prefix}${path}`,
      handler: async (request, reply) => {
        const requestId = newRequestId();
        reply.header('x-openstack-request-id', requestId);
        try {
          const ask = read(request, requestId, `${baseOf(request)}/${api}`, served);
          const { status, body } = await run(ask);
          return body === undefined ? reply.code(status).send() : reply.code(status).send(body);
        } catch (error) {
          return refuse(error, request, reply, served.log);
        }
      },
    });
  }
}

function read(request: FastifyRequest, requestId: string, url: string, { requests, authenticate }: Served): Ask {
  const known = authenticate(headerOf(request, 'x-auth-token'));
  if (known === undefined) throw new NovaFault(401, 'The request you have made requires authentication.');
  const caller = { ...known, requestId, timestamp: Date.now() };
  const body = parseJson(request.body);
  if (!isObject(body)) throw badRequest('There is no such thing as this body in JSON.');
  return {
    caller,
    params: request.params as Record<string, string>,
    query: new URL(request.url, 'http://here').searchParams,
    body,
    url,
    run: (work) => requests.run(caller, work),
  };
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): FastifyReply {
  if (error instanceof NovaFault) return reply.code(error.status).send(error.body());
  log.error({ err: error, method: request.method, path: request.routeOptions.url }, 'a request failed');
  const fault = new NovaFault(500, 'Unexpected API Error.');
  return reply.code(500).send(fault.body());
}
