import { InstanceSpec, type InstanceView, tapName } from '@astara/model/instance.ts';
import { InstanceId } from '@astara/model/scalars.ts';
import { validator } from '@astara/model/validate.ts';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { errors } from '../errors.ts';
import { readConsole } from '../instances/console.ts';
import type { Instance } from '../instances/instance.ts';
import type { Registry } from '../instances/registry.ts';
import type { Metrics } from '../metrics.ts';
import { answerErrors, badRequest } from './http-errors.ts';

export interface HostApiOptions {
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly view: (instance: Instance) => Promise<InstanceView>;
  /** Requests for instances wait for it: before the adoption nobody knows what there is. */
  readonly ready: Promise<unknown>;
  readonly log: FastifyBaseLogger;
}

type ById = { Params: { id: string } };

/** 512 attachments of about 250 bytes, with room to grow. */
const BODY_LIMIT = 1024 * 1024;

const validId = validator(InstanceId);
const validSpec = validator(InstanceSpec);

/** The agent's own API: which instances there are. Bodies and answers are those of packages/model/src/instance.ts. */
export function buildHostApi(options: HostApiOptions): FastifyInstance {
  const { registry, metrics, view, ready, log } = options;
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
  });
  answerErrors(app);

  app.get('/healthz', async () => {
    await ready;
    return { status: 'ok' };
  });

  app.get('/metrics', async (_request, reply) => {
    const instances = registry.list();
    const running = instances.filter((instance) => instance.isWhole()).length;
    metrics.instances.set({ state: 'running' }, running);
    metrics.instances.set({ state: 'dead' }, instances.length - running);
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });

  app.get('/v1/instances', async () => {
    await ready;
    return Promise.all(registry.list().map(view));
  });

  app.get<ById>('/v1/instances/:id', async (request) => view(await find(request.params.id)));

  app.get<ById>('/v1/instances/:id/console', async (request) => readConsole((await find(request.params.id)).paths.run));

  app.put<ById>('/v1/instances/:id', async (request) => {
    const id = idOf(request.params.id);
    const spec = specOf(request.body);
    await ready;
    return view(await timed(metrics.ensureSeconds, () => registry.ensure(id, spec)));
  });

  app.delete<ById>('/v1/instances/:id', async (request, reply) => {
    const id = idOf(request.params.id);
    await ready;
    await timed(metrics.destroySeconds, () => registry.destroy(id));
    return reply.code(204).send();
  });

  return app;

  async function find(text: string): Promise<Instance> {
    const id = idOf(text);
    await ready;
    const instance = registry.get(id);
    if (instance === undefined) throw errors.make('AGENT_NO_INSTANCE', { id });
    return instance;
  }
}

function idOf(text: string): string {
  const checked = validId(text);
  if (!checked.ok) throw badRequest('the instance id', checked.errors);
  return checked.value;
}

function specOf(body: unknown): InstanceSpec {
  const checked = validSpec(body);
  if (!checked.ok) throw badRequest('the instance', checked.errors);
  const { attachments } = checked.value;
  const twice =
    repeated(attachments.map((attachment) => tapName(attachment.port_id))) ??
    repeated(attachments.map((attachment) => attachment.ifname));
  if (twice !== undefined) {
    throw badRequest('the instance', [{ field: '/attachments', message: `has two attachments for device ${twice}` }]);
  }
  return checked.value;
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

async function timed<T>(histogram: Metrics['ensureSeconds'], work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const observe = (outcome: string) => histogram.observe({ outcome }, (performance.now() - begun) / 1000);
  try {
    const result = await work();
    observe('ok');
    return result;
  } catch (cause) {
    observe('failed');
    throw cause;
  }
}
