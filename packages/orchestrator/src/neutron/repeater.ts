import { backoff } from './backoff.ts';

export interface RepeaterOptions {
  /** Milliseconds before the first retry, and the most between two. */
  readonly base: number;
  readonly cap: number;
  readonly onError: (error: unknown, attempt: number) => void;
}

/**
 * Runs a task when asked to, never twice at once; asked again meanwhile, it runs once more. A failure is retried with back-off
 * until it succeeds. A request ends a back-off early.
 */
export class Repeater {
  readonly #task: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly #options: RepeaterOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  #attempt = 0;

  constructor(task: (attempt: number, signal: AbortSignal) => Promise<void>, options: RepeaterOptions) {
    this.#task = task;
    this.#options = options;
  }

  /** `delay`: milliseconds to gather more before it runs; a run that is due sooner is not put off. */
  request(delay = 0): void {
    if (this.#stop.signal.aborted) return;
    this.#wanted = true;
    if (this.#running !== undefined) return;
    if (delay === 0) {
      clearTimeout(this.#timer);
      this.#start();
    } else {
      this.#timer ??= setTimeout(() => this.#start(), delay);
    }
  }

  get idle(): boolean {
    return !this.#wanted && this.#running === undefined;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #start(): void {
    this.#timer = undefined;
    this.#wanted = false;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#stop.signal.aborted) return;
      if (this.#attempt > 0) {
        this.#wanted = true;
        this.#timer = setTimeout(() => this.#start(), backoff(this.#attempt, this.#options.base, this.#options.cap));
      } else if (this.#wanted) {
        this.#start();
      }
    });
  }

  async #run(): Promise<void> {
    try {
      await this.#task(this.#attempt, this.#stop.signal);
      this.#attempt = 0;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#attempt += 1;
      this.#options.onError(error, this.#attempt);
    }
  }
}
