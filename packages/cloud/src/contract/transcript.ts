/** What a step led to, normalised: equal on all clouds that keep the contract. */
export interface Entry {
  readonly step: string;
  /** Absent: a call by RPC, which has a result or a failure. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly result?: unknown;
  /** Class of the remote failure. */
  readonly failure?: string;
  /** In order. */
  readonly notifications?: readonly { readonly event: string; readonly payload: unknown }[];
  /** To agents, as a set. */
  readonly casts?: readonly { readonly to: string; readonly method: string; readonly args: unknown }[];
}

export type Transcript = readonly Entry[];

/** A line for each step: a change of one answer is a change of one line. */
export function write(transcript: Transcript): string {
  return transcript.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

export function read(text: string): Transcript {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}
