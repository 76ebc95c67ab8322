import { AstaraError } from '@astara/model/error.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { errors } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Engine } from '../reconciler/engine.ts';

export interface ApiOptions {
  /** Operators' doors have no lock: loopback, unless somebody knows better. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly engine: Engine;
  readonly metrics: Metrics;
  /** What must be well for us to be well, e.g. `broker`, `neutron`: each says what is wrong, or undefined. Agent and breaker are added. */
  readonly checks: Readonly<Record<string, () => string | undefined>>;
}

export interface Api {
  /** `http://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

type ByKey = { Params: { kind: string; id: string } };

/**
 * The operators' HTTP API: `/metrics`, `/healthcheck`, and the state of the resources (`ResourceState`). Errors are
 * `ErrorBody`. docs/reference/orchestrator-api.md describes it.
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const app = buildApi(options);
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, close: () => app.close() };
}

export function buildApi({ engine, metrics, checks }: Omit<ApiOptions, 'host' | 'port'>): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });

  app.setErrorHandler((error, _request, reply) => send(reply, asKnown(error)));
  app.setNotFoundHandler((request, reply) =>
    send(reply, errors.make('API_ROUTE_UNKNOWN', { method: request.method, path: request.url })),
  );

  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.scrape();
  });

  app.get('/healthcheck', async (_request, reply) => {
    const all = { ...checks, agent: () => engine.providerReason, breaker: () => engine.breakerReason };
    const reasons = Object.fromEntries(
      Object.entries(all).flatMap(([name, check]) => {
        const reason = check();
        return reason === undefined ? [] : [[name, reason]];
      }),
    );
    const well = Object.keys(reasons).length === 0;
    reply.code(well ? 200 : 503);
    return { status: well ? 'OK' : 'DEGRADED', reasons };
  });

  app.get('/v1/resources', async () => ({ resources: engine.resources() }));
  app.get<ByKey>('/v1/resources/:kind/:id', async (request) => engine.resource(keyOf(engine, request.params)));

  // The verbs answer at once with the state as it is; what they ask for follows.
  app.put<ByKey>('/v1/resources/:kind/:id/rebuild', async (request, reply) => {
    reply.code(202);
    return engine.rebuild(keyOf(engine, request.params));
  });
  app.put<ByKey>('/v1/resources/:kind/:id/poll', async (request, reply) => {
    reply.code(202);
    return engine.poll(keyOf(engine, request.params));
  });
  app.put('/v1/poll', async (_request, reply) => {
    engine.resync();
    return reply.code(202).send({});
  });
  app.put('/v1/breaker/reset', async (_request, reply) => {
    engine.resetBreaker();
    return reply.code(202).send({});
  });

  return app;
}

function keyOf({ kinds }: Engine, { kind, id }: ByKey['Params']): ResourceKey {
  const known = kinds.find((one) => one === kind);
  if (known === undefined) {
    throw errors.make('REQUEST_INVALID', {
      reason: `${kind} is no kind of resource that is served here: ${kinds.join(', ')}`,
    });
  }
  return { kind: known, id };
}

function send(reply: FastifyReply, error: AstaraError): FastifyReply {
  return reply.code(error.status).send(error.toBody());
}

function asKnown(error: unknown): AstaraError {
  if (error instanceof AstaraError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status < 500) return errors.make('REQUEST_INVALID', { reason }, { cause: error });
  return errors.make('API_INTERNAL', { reason }, { cause: error });
}
