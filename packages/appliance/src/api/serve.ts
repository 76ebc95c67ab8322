import type { IncomingMessage } from 'node:http';
import type { Answer, Operation, Params, Query } from '@astara/model/appliance/api/operation.ts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Appliance } from '../appliance.ts';
import { errors } from '../errors.ts';
import { queryReader } from './query.ts';

/** A request for an operation. */
export interface Asked<O extends Operation> {
  readonly appliance: Appliance;
  readonly params: Params<O>;
  readonly query: Query<O>;
  /** Not checked yet; undefined when there is none. */
  readonly body: unknown;
  /** In lower case. */
  readonly headers: IncomingMessage['headers'];
}

/** Makes routes of operations; an answer is what the operation says it is. */
export type Serve = <O extends Operation>(
  operation: O,
  handler: (asked: Asked<O>, reply: FastifyReply) => Promise<Answer<O>> | Answer<O>,
) => void;

export function server(app: FastifyInstance, resolve: (request: IncomingMessage) => Appliance): Serve {
  return (operation, handler) => {
    const readQuery = queryReader(operation);
    const media = 'media' in operation.answer ? operation.answer.media : undefined;
    app.route({
      method: operation.method,
      url: operation.path.replace(/\{(\w+)\}/g, ':$1'),
      // A stream of events does not end: there is nothing to say about it without opening it.
      exposeHeadRoute: media !== 'text/event-stream',
      handler: async (request, reply) => {
        const { body, headers } = request;
        if (body === undefined && operation.body?.required === true) throw noBody(headers['content-type']);
        if (body !== undefined && operation.body === undefined) {
          throw errors.make('APPLIANCE_BODY_REFUSED', { reason: 'this operation takes no body' });
        }
        reply.header('cache-control', 'no-store');
        if (media === 'text/plain') reply.type('text/plain; charset=utf-8');
        const params = request.params as Params<typeof operation>;
        const query = readQuery(request.query);
        return handler({ appliance: resolve(request.raw), params, query, body, headers }, reply);
      },
    });
  };
}

function noBody(type: string | undefined) {
  return type === undefined
    ? errors.make('APPLIANCE_NOT_JSON', { type: 'without a type' })
    : errors.make('APPLIANCE_BODY_REFUSED', { reason: 'it is not JSON at position 0' });
}
