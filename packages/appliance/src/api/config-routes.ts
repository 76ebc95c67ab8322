import type { IncomingMessage } from 'node:http';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Appliance } from '../appliance.ts';
import { errors } from '../errors.ts';
import { InvalidConfigError } from './error-answer.ts';

/**
 * `GET /v1/system/config` answers `{configuration}`: the one in force, or null. `PUT` answers
 * `{generation, etag, changes: [{service, what, ms}], warnings: [text], configuration}`, the last not with
 * `Prefer: return=minimal` (RFC 7240). Headers: `ETag`, `Astara-Generation`; of a PUT also `Server-Timing: apply;dur=<ms>` and
 * `Astara-Steps`.
 */
export function configRoutes(app: FastifyInstance, resolve: (request: IncomingMessage) => Appliance): void {
  app.get('/v1/system/config', async (request, reply) => {
    const appliance = resolve(request.raw);
    tag(reply, appliance);
    return { configuration: appliance.config() ?? null };
  });

  app.put('/v1/system/config', async (request, reply) => {
    const appliance = resolve(request.raw);
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      throw errors.make('APPLIANCE_NOT_JSON', { type: request.headers['content-type'] ?? 'without a type' });
    }
    const validated = validateConfig(request.body);
    if (!validated.ok) throw new InvalidConfigError(validated.errors);
    const report = await appliance.apply(validated.value);
    reply.header('server-timing', `apply;dur=${report.ms}`);
    reply.header('astara-steps', report.steps.length);
    tag(reply, appliance);
    const { generation, etag, steps, warnings } = report;
    const answer = { generation, etag, changes: steps, warnings };
    if (!/\breturn=minimal\b/.test(String(request.headers.prefer ?? ''))) {
      return { ...answer, configuration: appliance.config() };
    }
    reply.header('preference-applied', 'return=minimal');
    return answer;
  });
}

function tag(reply: FastifyReply, { applied }: Appliance): void {
  if (applied === null) return;
  reply.header('etag', `"${applied.etag}"`);
  reply.header('astara-generation', applied.generation);
}
