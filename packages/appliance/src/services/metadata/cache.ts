import type { IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** Bytes of one answer: user data has at most 64 KiB, all of an instance's metadata in one document is not much more. */
export const MAX_ANSWER = 128 * 1024;
const MAX_OF_CLIENT = 512 * 1024;
const MAX_ANSWERS_OF_CLIENT = 128;
/** What an answer costs beside its body. */
const OVERHEAD = 1024;

/** What all appliances of a process may keep together. Bytes. */
export class Memory {
  readonly limit: number;
  used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }
}

const shared = new Memory(32 * 1024 * 1024);

interface Entry {
  readonly answer: Answer;
  readonly stored: number;
  readonly expires: number;
  readonly size: number;
}

/**
 * Answers kept for a short time: a private cache (RFC 9111) for each client, never shared between clients. Whoever asks again
 * within seconds, as cloud-init does stage by stage, costs Nova nothing.
 */
export class AnswerCache {
  readonly #memory: Memory;
  /** Client → what it asked for → answer. */
  readonly #clients = new Map<string, Map<string, Entry>>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(memory: Memory = shared) {
    this.#memory = memory;
  }

  /** With its age in seconds. */
  get(client: string, key: string): { readonly answer: Answer; readonly age: number } | undefined {
    const entry = this.#clients.get(client)?.get(key);
    const now = performance.now();
    if (entry === undefined || entry.expires <= now) return undefined;
    return { answer: entry.answer, age: Math.floor((now - entry.stored) / 1000) };
  }

  /** Kept for `seconds`, if there is room. */
  put(client: string, key: string, answer: Answer, seconds: number): void {
    const size = answer.body.length + OVERHEAD;
    const kept = this.#clients.get(client) ?? new Map<string, Entry>();
    this.#drop(client, kept, key);
    const used = [...kept.values()].reduce((sum, entry) => sum + entry.size, 0);
    const fits = used + size <= MAX_OF_CLIENT && kept.size < MAX_ANSWERS_OF_CLIENT;
    if (!fits || this.#memory.used + size > this.#memory.limit) return;
    const stored = performance.now();
    kept.set(key, { answer, stored, expires: stored + seconds * 1000, size });
    this.#memory.used += size;
    this.#clients.set(client, kept);
    this.#sweep ??= setTimeout(() => this.#expire(), 1_000).unref();
  }

  /** What a client changes may change any of its answers. */
  forget(client: string): void {
    const kept = this.#clients.get(client);
    for (const key of kept?.keys() ?? []) this.#drop(client, kept ?? new Map(), key);
  }

  clear(): void {
    for (const client of [...this.#clients.keys()]) this.forget(client);
    clearTimeout(this.#sweep);
    this.#sweep = undefined;
  }

  #expire(): void {
    const now = performance.now();
    for (const [client, kept] of this.#clients) {
      for (const [key, { expires }] of kept) if (expires <= now) this.#drop(client, kept, key);
    }
    this.#sweep = this.#clients.size === 0 ? undefined : setTimeout(() => this.#expire(), 1_000).unref();
  }

  #drop(client: string, kept: Map<string, Entry>, key: string): void {
    this.#memory.used -= kept.get(key)?.size ?? 0;
    kept.delete(key);
    if (kept.size === 0) this.#clients.delete(client);
  }
}

/** Headers that do not change an answer, or are part of the key. With any other the request is not answered from memory. */
const harmless = new Set(['accept', 'accept-encoding', 'accept-language', 'connection', 'host', 'user-agent']);

/**
 * Under what a request's answer is kept; undefined when it must not be. Paths are kept that can be read in one way only. A
 * password is for one reader, and `vendor_data2` is made anew for each request by others than Nova.
 */
export function cacheKey(method: string | undefined, url: string, headers: IncomingHttpHeaders): string | undefined {
  if (method !== 'GET' || !/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/?$/.test(url) || url.length > 256) return undefined;
  if (/password|vendor_data2/i.test(url)) return undefined;
  if (Object.keys(headers).some((name) => !harmless.has(name))) return undefined;
  return [url, headers.accept ?? '', headers['accept-encoding'] ?? '', headers['accept-language'] ?? ''].join('\n');
}

/** Seconds for which an answer may be kept: `most`, or less when it says so (RFC 9111 §5.2.2). */
export function lifetime(status: number | undefined, headers: IncomingHttpHeaders, most: number): number {
  const { vary, expires, pragma } = headers;
  if (status !== 200 || headers['set-cookie'] !== undefined || vary !== undefined || pragma !== undefined) return 0;
  const control = headers['cache-control'];
  // `Expires` without Cache-Control is how one said no in HTTP/1.0.
  if (control === undefined) return expires === undefined ? most : 0;
  if (/\b(no-store|no-cache|must-revalidate)\b/i.test(control)) return 0;
  const age = /\bmax-age="?(\d{1,9})/i.exec(control)?.[1];
  return age === undefined ? most : Math.max(0, Math.min(most, Number(age) - Number(headers.age ?? 0)));
}
