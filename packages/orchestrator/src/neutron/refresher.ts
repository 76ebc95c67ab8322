import { backoff, unanswered } from './backoff.ts';

export interface RefresherOptions {
  /**
   * Ids in one question. It begins with `start` (default `max`), so that work on the first begins while the others are asked for, doubles
   * with each full question that is answered up to `max`, and is halved by timeouts down to `min`.
   */
  readonly pageSize: { readonly start?: number; readonly max: number; readonly min: number };
  /** Questions under way at once. */
  readonly concurrency: number;
  /** Milliseconds: `base + perItem × ids`, doubled after each timeout, never more than `max`. */
  readonly timeout: { readonly base: number; readonly perItem: number; readonly max: number };
  /** Milliseconds before a failed question is asked again. */
  readonly retry: { readonly base: number; readonly cap: number };
  /**
   * Asks for the ids and puts the answer into the mirror; answers the ids that must be asked for again.
   * `since`: when the change was committed that made an id stale; `urgent`: whether somebody waits for any of them.
   */
  readonly ask: (ids: readonly string[], question: Question) => Promise<readonly string[]>;
  readonly onError: (error: unknown, ids: readonly string[]) => void;
}

export interface Question {
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly since: (id: string) => number | undefined;
  readonly urgent: (id: string) => boolean;
}

export interface Mark {
  /** A person waits for it: it is asked for before those that nothing is known to have changed of. */
  readonly urgent: boolean;
  /** When the change was committed: milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** Milliseconds to wait for a notification that makes asking unnecessary or for more of the same. */
  readonly grace?: number;
}

interface Stale {
  urgent: boolean;
  since: number | undefined;
  notBefore: number;
  attempts: number;
  /** The largest question it may be part of: halved when one is refused, so that one bad id does not stop the others. */
  limit: number;
}

/**
 * Remembers which objects are stale and asks Neutron for them, many at once, until the mirror has them. A failure keeps its own
 * ids stale and touches no others. Never gives up.
 */
export class Refresher {
  readonly #options: RefresherOptions;
  readonly #stale = new Map<string, Stale>();
  readonly #asked = new Map<string, Stale>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #pageSize: number;
  #timeouts = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RefresherOptions) {
    this.#options = options;
    const { start, max } = options.pageSize;
    this.#pageSize = Math.min(start ?? max, max);
  }

  get pageSize(): number {
    return this.#pageSize;
  }

  /** Ids that are stale or being asked for. */
  get size(): number {
    return new Set([...this.#stale.keys(), ...this.#asked.keys()]).size;
  }

  isStale(id: string): boolean {
    return this.#stale.has(id) || this.#asked.has(id);
  }

  /** An id that is being asked for just now is asked for again: the answer may be older than this. */
  mark(ids: Iterable<string>, mark: Mark): void {
    const notBefore = performance.now() + (mark.grace ?? 0);
    for (const id of ids) {
      const held = this.#stale.get(id);
      if (held === undefined) {
        const { urgent, since } = mark;
        this.#stale.set(id, { urgent, since, notBefore, attempts: 0, limit: this.#options.pageSize.max });
      } else {
        held.urgent ||= mark.urgent;
        held.since = earliest(held.since, mark.since);
        if (held.attempts === 0) held.notBefore = Math.min(held.notBefore, notBefore);
      }
    }
    this.#pump();
  }

  /** It does not exist any more. */
  forget(id: string): void {
    this.#stale.delete(id);
  }

  /** The way to Neutron is open again: what waits for a retry is asked at once, and with the first timeout. */
  kick(): void {
    this.#timeouts = 0;
    for (const stale of this.#stale.values()) stale.notBefore = 0;
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    while (this.#running.size < this.#options.concurrency) {
      const page = this.#nextPage(performance.now());
      if (page.size === 0) break;
      const run = this.#ask(page).finally(() => {
        this.#running.delete(run);
        this.#pump();
      });
      this.#running.add(run);
    }
    if (this.#running.size < this.#options.concurrency) this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#stale].filter(([id]) => !this.#asked.has(id)).map(([, stale]) => stale.notBefore);
    if (waiting.length === 0) return;
    const wait = Math.max(1, Math.min(...waiting) - performance.now());
    this.#timer = setTimeout(() => this.#pump(), wait);
  }

  /** The urgent ones alone, if there are any: a small question is answered soon. */
  #nextPage(now: number): Map<string, Stale> {
    const ready = [...this.#stale].filter(([id, stale]) => stale.notBefore <= now && !this.#asked.has(id));
    const urgent = ready.filter(([, stale]) => stale.urgent);
    const page = new Map<string, Stale>();
    let limit = this.#pageSize;
    for (const [id, stale] of urgent.length > 0 ? urgent : ready) {
      if (page.size >= limit) break;
      if (page.size >= stale.limit) continue;
      limit = Math.min(limit, stale.limit);
      page.set(id, stale);
    }
    for (const [id, stale] of page) {
      this.#stale.delete(id);
      this.#asked.set(id, stale);
    }
    return page;
  }

  async #ask(page: ReadonlyMap<string, Stale>): Promise<void> {
    const ids = [...page.keys()];
    const { base, perItem, max } = this.#options.timeout;
    const { min } = this.#options.pageSize;
    const timeout = Math.min(max, (base + perItem * ids.length) * 2 ** this.#timeouts);
    try {
      const again = await this.#options.ask(ids, {
        timeout,
        signal: this.#stop.signal,
        since: (id) => page.get(id)?.since,
        urgent: (id) => page.get(id)?.urgent ?? false,
      });
      for (const id of ids) this.#asked.delete(id);
      this.#timeouts = 0;
      if (ids.length >= this.#pageSize) this.#pageSize = Math.min(this.#options.pageSize.max, this.#pageSize * 2);
      this.#putBack(again, page, this.#options.pageSize.max);
    } catch (error) {
      for (const id of ids) this.#asked.delete(id);
      if (this.#stop.signal.aborted) return;
      let limit = Math.max(1, Math.floor(ids.length / 2));
      if (unanswered(error)) {
        this.#timeouts = Math.min(this.#timeouts + 1, 10);
        if (ids.length > min) this.#pageSize = Math.max(min, Math.floor(ids.length / 2));
        limit = this.#options.pageSize.max;
      }
      this.#putBack(ids, page, limit);
      this.#options.onError(error, ids);
    }
  }

  /** All with one pause, so that they stay together. */
  #putBack(ids: readonly string[], page: ReadonlyMap<string, Stale>, limit: number): void {
    const attempts = Math.max(0, ...ids.map((id) => page.get(id)?.attempts ?? 0)) + 1;
    const notBefore = performance.now() + backoff(attempts, this.#options.retry.base, this.#options.retry.cap);
    for (const id of ids) {
      const stale = page.get(id);
      const marked = this.#stale.get(id);
      const urgent = (stale?.urgent ?? false) || (marked?.urgent ?? false);
      this.#stale.set(id, { urgent, since: earliest(stale?.since, marked?.since), notBefore, attempts, limit });
    }
  }
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
