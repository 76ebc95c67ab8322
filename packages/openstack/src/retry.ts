import { setTimeout as sleep } from 'node:timers/promises';

/** What became of an attempt: the value, or an error that may be tried again (or not). */
export type Attempt<T> =
  | { readonly value: T }
  | {
      readonly error: Error;
      readonly again: boolean /** Milliseconds, if the server said so. */;
      readonly after?: number;
    };

const BASE = 100;
const CAP = 5_000;

/**
 * The one retry policy: exponential back-off with full jitter until the deadline. When the deadline comes during a pause,
 * the last failure is what is reported: it says more than “too late”.
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<Attempt<T>>,
  deadline: AbortSignal,
  onFailure?: (error: Error) => void,
): Promise<T> {
  for (let count = 0; ; count++) {
    const result = await attempt(deadline);
    if ('value' in result) return result.value;
    onFailure?.(result.error);
    if (!result.again) throw result.error;
    const pause = result.after ?? BASE / 2 + Math.random() * Math.min(CAP, BASE * 2 ** count);
    try {
      await sleep(pause, undefined, { signal: deadline });
    } catch (aborted) {
      throw isTimeout(deadline) ? result.error : (deadline.reason ?? aborted);
    }
  }
}

/** A deadline `timeout` ms from now, or when `signal` says so. */
export function deadlineOf(timeout: number, signal?: AbortSignal): AbortSignal {
  const own = AbortSignal.timeout(timeout);
  return signal === undefined ? own : AbortSignal.any([signal, own]);
}

/** Whether the signal was aborted by time, and not by somebody's wish. */
export function isTimeout(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
}

/** `work`, unless the signal comes first; then the signal's reason. The work itself goes on for others. */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Retry-After in milliseconds (RFC 9110 §10.2.3; the date form is not used by OpenStack), at most 60 s. */
export function retryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Math.min(Number(header), 60) * 1000 : undefined;
}
