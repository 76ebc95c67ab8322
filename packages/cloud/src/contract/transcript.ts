import { createHash } from 'node:crypto';

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

/** Objects of so many characters are written once; where they come again, only their digest: `{"=": "1a2b3c4d"}`. */
const large = 160;

/** A line for each step. Messages repeat whole networks and ports: these are written once. */
export function write(transcript: Transcript): string {
  const written = new Set<string>();
  const shortened = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shortened);
    if (!isObject(value)) return value;
    const digest = digestOf(value);
    if (digest !== undefined && written.has(digest)) return { '=': digest };
    const short = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shortened(item)]));
    if (digest !== undefined) written.add(digest);
    return short;
  };
  return transcript.map((entry) => `${JSON.stringify(shortened(entry))}\n`).join('');
}

export function read(text: string): Transcript {
  const known = new Map<string, unknown>();
  const restored = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(restored);
    if (!isObject(value)) return value;
    if (typeof value['='] === 'string') return known.get(value['=']);
    const whole = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, restored(item)]));
    const digest = digestOf(whole);
    if (digest !== undefined) known.set(digest, whole);
    return whole;
  };
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => restored(JSON.parse(line)) as Entry);
}

function digestOf(value: object): string | undefined {
  const text = JSON.stringify(value);
  return text.length < large ? undefined : createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
