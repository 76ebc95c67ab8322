/** `promise`, or a rejection with the signal's reason, whichever comes first. */
export async function waitFor<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise;
  if (signal.aborted) {
    promise.catch(() => undefined);
    throw signal.reason;
  }
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Rejects with the signal's reason when that comes first. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(done.resolve, milliseconds);
  try {
    await waitFor(done.promise, signal);
  } finally {
    clearTimeout(timer);
  }
}

const followers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Runs `follow` when the signal aborts, or now; returns how to end that. An EventTarget looks through all its listeners at
 * each addition, which is slow with thousands of calls under way: here the signal has one listener for all of them.
 */
function onAbort(signal: AbortSignal, follow: () => void): () => void {
  if (signal.aborted) {
    follow();
    return () => undefined;
  }
  let set = followers.get(signal);
  if (!set) {
    const all = new Set<() => void>();
    const tell = () => {
      for (const each of all) each();
    };
    signal.addEventListener('abort', tell, { once: true });
    followers.set(signal, all);
    set = all;
  }
  set.add(follow);
  return () => set.delete(follow);
}

/** Aborts after `milliseconds`, or with one of the outer signals. To be disposed of: those may live for ever. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #end: number;
  readonly #detach: (() => void)[] = [];
  #expired = false;

  constructor(milliseconds: number, ...outer: readonly (AbortSignal | undefined)[]) {
    this.#end = performance.now() + milliseconds;
    this.#timer = setTimeout(() => {
      this.#expired = true;
      this.#controller.abort(new DOMException('The deadline has passed', 'TimeoutError'));
    }, milliseconds);
    for (const signal of outer) if (signal) this.#detach.push(onAbort(signal, () => this.abort(signal.reason)));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time was up (and not the outer signal, or `abort`). */
  get expired(): boolean {
    return this.#expired;
  }

  /** Milliseconds left, at least 0. */
  get left(): number {
    return Math.max(0, this.#end - performance.now());
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const detach of this.#detach) detach();
  }
}
