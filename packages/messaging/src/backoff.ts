export interface RetrySettings {
  /** Milliseconds. */
  readonly interval: number;
  readonly step: number;
  readonly max: number;
}

/**
 * Milliseconds until the next attempt to connect, after `failures` attempts in a row have failed on `brokers` brokers.
 * Within a round over all brokers there is no waiting. `random` is in [0, 1): many clients lose one broker at once.
 */
export function reconnectDelay(failures: number, brokers: number, retry: RetrySettings, random: number): number {
  if (failures === 0) return Math.min(retry.interval, retry.max) * random;
  if (failures % brokers !== 0) return 0;
  const round = failures / brokers - 1;
  return Math.min(retry.max, retry.interval + round * retry.step) * (0.5 + random / 2);
}

/** Milliseconds before a message is published again that found no queue, or no channel. */
export function republishDelay(attempt: number): number {
  return Math.min(1000, 50 * 2 ** Math.min(attempt, 5));
}
