/** Since this process serves; JSON for `/v2/stats`. */
export interface MetadataCounters {
  requests: number;
  /** Answered from memory. */
  cached: number;
  /** Asked of the metadata service. */
  forwarded: number;
  /** Of those: it was away, or broke off. */
  failed: number;
  /** Addresses that no instance has. */
  unknown: number;
  /** Turned away: over the rate, too many under way, malformed or too large; connections over the limit. */
  refused: { often: number; busy: number; invalid: number; connections: number };
}

export function noCounters(): MetadataCounters {
  return {
    requests: 0,
    cached: 0,
    forwarded: 0,
    failed: 0,
    unknown: 0,
    refused: { often: 0, busy: 0, invalid: 0, connections: 0 },
  };
}
