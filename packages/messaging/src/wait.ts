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
    for (const signal of outer) {
      const follow = () => this.#controller.abort(signal?.reason);
      if (signal?.aborted) follow();
      signal?.addEventListener('abort', follow, { once: true });
      this.#detach.push(() => signal?.removeEventListener('abort', follow));
    }
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
