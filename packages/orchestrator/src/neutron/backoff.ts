import { AstaraError } from '@astara/model/error.ts';

/** Exponential, with jitter: attempt 1 waits about `base`, each further one twice as long up to `cap`. Milliseconds. */
export function backoff(attempt: number, base: number, cap: number, random: () => number = Math.random): number {
  const full = Math.min(cap, base * 2 ** Math.min(attempt - 1, 20));
  return full * (0.75 + random() * 0.5);
}

/** How a call ended, as the label of the metric. */
export type Outcome = 'ok' | 'timeout' | 'remote_error' | 'disconnected';

export function outcomeOf(error: unknown): Exclude<Outcome, 'ok'> {
  const code = error instanceof AstaraError ? error.code : undefined;
  if (code === 'MESSAGING_REMOTE_ERROR') return 'remote_error';
  return code === 'MESSAGING_TIMEOUT' ? 'timeout' : 'disconnected';
}

/** Whether a call ended without an answer: the server is slow or away, and the question itself may be fine. */
export function unanswered(error: unknown): boolean {
  return error instanceof AstaraError && error.code.startsWith('MESSAGING_') && error.code !== 'MESSAGING_REMOTE_ERROR';
}
