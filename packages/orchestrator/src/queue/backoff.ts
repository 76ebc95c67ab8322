import type { RetryClass } from '@astara/model/error.ts';

/** Milliseconds. */
export interface Backoff {
  /** After the first failure; doubles with each further one… */
  readonly base: number;
  /** …up to this. */
  readonly max: number;
  /** After a failure that only a person can mend. */
  readonly operator: number;
}

/** The largest wait is what a recovered neighbour costs at most: the world must be right again 15 s after it. */
export const defaultBackoff: Backoff = { base: 100, max: 10_000, operator: 60_000 };

/**
 * How long to wait after the `failures`th failure in a row; undefined: until the next event.
 * Half of it is chance (`random` in [0, 1)), so that those who failed together do not come back together.
 */
export function backoffDelay(
  backoff: Backoff,
  retry: RetryClass,
  failures: number,
  random: () => number,
): number | undefined {
  if (retry === 'terminal') return undefined;
  const full =
    retry === 'operator' ? backoff.operator : Math.min(backoff.max, backoff.base * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random() / 2);
}
