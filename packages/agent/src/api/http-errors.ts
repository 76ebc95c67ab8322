import { AstaraError } from '@astara/model/error.ts';
import type { Invalid } from '@astara/model/validate.ts';
import type { FastifyInstance } from 'fastify';
import { errors } from '../errors.ts';

/** Answers every failure in the shape of `ErrorBody`. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const known = error instanceof AstaraError ? error : translate(error);
    const facts = { err: error, code: known.code, method: request.method, path: request.url };
    if (known.status >= 500) request.log.error(facts, 'request failed');
    else request.log.info({ ...facts, err: undefined, reason: known.message }, 'request refused');
    return reply.code(known.status).send(known.toBody());
  });
  app.setNotFoundHandler((request, reply) => {
    const error = errors.make('AGENT_NO_ROUTE', { method: request.method, path: request.url });
    return reply.code(error.status).send(error.toBody());
  });
}

export function badRequest(what: string, [first]: readonly Invalid[]): AstaraError {
  const { field = '/', message = 'of the wrong shape' } = first ?? {};
  return errors.make('AGENT_BAD_REQUEST', { what, reason: `${field} ${message}` }, { field });
}

function translate(error: Error & { statusCode?: number }): AstaraError {
  const { statusCode = 500, message } = error;
  // Fastify's own refusals: a body that is no JSON, too large, of another content type.
  if (statusCode < 500)
    return errors.make('AGENT_BAD_REQUEST', { what: 'the request', reason: message }, { cause: error });
  return errors.make('AGENT_INTERNAL', { reason: message }, { cause: error });
}
