/** What has happened since the start; only ever grows. */
export interface Counts {
  calls: number;
  casts: number;
  /** Requests that handlers were started for. */
  requests: number;
  notifications: number;
  /** Dropped because their unique id was seen before. */
  duplicates: number;
  /** Dropped because they cannot be understood. */
  malformed: number;
  /** Answers that nobody waited for any more. */
  lateAnswers: number;
  /** Handlers that failed. */
  failures: number;
}

export function newCounts(): Counts {
  return {
    calls: 0,
    casts: 0,
    requests: 0,
    notifications: 0,
    duplicates: 0,
    malformed: 0,
    lateAnswers: 0,
    failures: 0,
  };
}
