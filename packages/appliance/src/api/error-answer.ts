import { AstaraError } from '@astara/model/error.ts';
import type { Invalid } from '@astara/model/validate.ts';
import type { FastifyReply } from 'fastify';
import { errors } from '../errors.ts';
import type { Log } from '../log.ts';

/** A configuration may have as many errors as fields; nobody reads more than this. */
const MAX_ERRORS = 100;

/** A configuration was refused; the answer carries the list. */
export class InvalidConfigError extends Error {
  override readonly name = 'InvalidConfigError';
  readonly invalid: readonly Invalid[];

  constructor(invalid: readonly Invalid[]) {
    super('invalid configuration');
    this.invalid = invalid;
  }
}

/** The one shape of an error (`ErrorBody`), with the list `errors` when a configuration was refused. */
export function answerError(error: unknown, reply: FastifyReply, log: Log | undefined): FastifyReply {
  if (error instanceof InvalidConfigError) {
    const invalid = error.invalid.slice(0, MAX_ERRORS);
    const reasons = invalid
      .slice(0, 5)
      .map(({ field, message }) => `${field} ${message}`)
      .join('; ');
    const more = error.invalid.length > 5 ? `; and ${error.invalid.length - 5} more` : '';
    const field = invalid[0]?.field;
    const known = errors.make(
      'APPLIANCE_CONFIG_INVALID',
      { reasons: reasons + more },
      field === undefined ? {} : { field },
    );
    return reply.code(known.status).send({ ...known.toBody(), errors: invalid });
  }
  const known = error instanceof AstaraError ? error : ofFramework(error);
  if (known.status >= 500) log?.error({ err: error }, 'request failed');
  const status = known === error || known.status !== 400 ? known.status : statusOf(error);
  return reply.code(status).send(known.toBody());
}

/** What fastify refuses before a route sees it. */
function ofFramework(error: unknown): AstaraError {
  const cause = error instanceof Error ? error.message : String(error);
  const status = statusOf(error);
  if (status === 415) return errors.make('APPLIANCE_NOT_JSON', { type: 'something else' }, { cause: error });
  if (status >= 400 && status < 500) return errors.make('APPLIANCE_BODY_REFUSED', { reason: cause }, { cause: error });
  return errors.make('APPLIANCE_INTERNAL', { cause }, { cause: error });
}

function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number') return status;
  return error instanceof SyntaxError ? 400 : 500;
}
