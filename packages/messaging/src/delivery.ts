import type { AstaraError } from '@astara/model/error.ts';
import { republishDelay } from './backoff.ts';
import { errors } from './errors.ts';
import type { Link } from './link.ts';
import type { ExchangeSpec } from './queue-arguments.ts';
import type { Outgoing } from './session.ts';
import { type Deadline, sleep } from './wait.ts';

/** How far a message got; it tells the errors apart when the time is up. */
export type Progress = 'unsent' | 'unroutable' | 'sent';

export interface Parcel {
  readonly message: Omit<Outgoing, 'expiration'>;
  /** Declared ahead of each attempt: it is deleted with its last queue. */
  readonly exchange?: ExchangeSpec;
  /** The message dies with the deadline. */
  readonly expires: boolean;
  progress: Progress;
  /** Why the last attempt failed. */
  lastError?: unknown;
}

/**
 * Publishes until the broker confirms that a queue has it: waits for a connection, and publishes again what was not
 * confirmed, or found no queue yet (after a restart of the broker the receiver needs a moment to come back). The receiver
 * knows doubles by their unique id. Rejects with the reason of the deadline's signal only.
 */
export async function deliver(link: Link, parcel: Parcel, deadline: Deadline): Promise<void> {
  const { signal } = deadline;
  for (let attempt = 0; ; attempt++) {
    const session = await link.ready(signal);
    try {
      if (parcel.exchange) await session.declareExchange(parcel.exchange);
      const expiration = parcel.expires ? { expiration: deadline.left } : {};
      if (await session.publish({ ...parcel.message, ...expiration })) {
        parcel.progress = 'sent';
        return;
      }
      parcel.progress = 'unroutable';
    } catch (error) {
      // Not confirmed: the session or its channel broke, or the broker declined. Only the deadline ends the attempts.
      if (signal.aborted) throw signal.reason;
      parcel.lastError = error;
    }
    await sleep(session.signal.aborted ? 0 : republishDelay(attempt), signal);
  }
}

/** What to tell the sender when the time is up. `what`: the kind of message. */
export function undelivered(
  parcel: Parcel,
  what: string,
  { topic, method }: { topic: string; method: string },
  timeout: number,
): AstaraError {
  const options = { cause: parcel.lastError };
  switch (parcel.progress) {
    case 'unsent':
      return errors.make('MESSAGING_DISCONNECTED', { what: `${what} ${method}`, timeout }, options);
    case 'unroutable':
      return errors.make('MESSAGING_NO_DESTINATION', { what: `${what} ${method}`, timeout, topic }, options);
    case 'sent':
      return errors.make('MESSAGING_TIMEOUT', { topic, method, timeout }, options);
  }
}
