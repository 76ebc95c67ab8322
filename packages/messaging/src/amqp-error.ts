import { AstaraError } from '@astara/model/error.ts';
import { errors } from './errors.ts';
import { optionOf } from './queue-arguments.ts';

/** What the error happened to. */
export interface Place {
  /** `host:port`. */
  readonly broker: string;
  readonly user: string;
  readonly vhost: string;
}

/** An error of the AMQP library or of the socket → one that says what to do. */
export function translate(error: unknown, place: Place): AstaraError {
  if (error instanceof AstaraError) return error;
  const { broker, user, vhost } = place;
  const code = codeOf(error);
  const reason = reasonOf(error);
  const options = { cause: error };
  if (code === 'PRECONDITION_FAILED') return mismatch(reason, options) ?? unreachable();
  if (code === 'ACCESS_REFUSED' || code === 'NOT_ALLOWED') {
    return errors.make('MESSAGING_ACCESS_REFUSED', { broker, user, vhost, reason }, options);
  }
  if (/^(ERR_TLS|ERR_SSL|CERT_|EPROTO$)|CERT|SIGNATURE|HOSTNAME_MISMATCH/.test(code)) {
    return errors.make('MESSAGING_TLS', { broker, reason }, options);
  }
  return unreachable();

  function unreachable() {
    return errors.make('MESSAGING_UNREACHABLE', { broker, reason }, options);
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** RabbitMQ: `inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'`. */
function mismatch(reason: string, options: { cause: unknown }): AstaraError | undefined {
  const match =
    /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)'.*?: received (.+?) but current is (.+)/s.exec(reason);
  if (!match) return undefined;
  const [, argument = '', kind = '', name = '', ours = '', theirs = ''] = match;
  const option = optionOf(argument, name);
  return errors.make('MESSAGING_TOPOLOGY_MISMATCH', { kind, name, argument, ours, theirs, option }, options);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Connecting to a name with several addresses fails with all their errors in one.
  const parts = error instanceof AggregateError && !error.message ? error.errors : [error];
  const reason = parts.map((part) => (part instanceof Error ? part.message : String(part))).join('; ');
  // The library prefixes what the broker refused with the name of the method, if it has one.
  return reason.replace(/^undefined: /, '') || codeOf(error);
}
