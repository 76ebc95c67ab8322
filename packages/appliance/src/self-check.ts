import type { EventLog } from './events.ts';
import type { Log } from './log.ts';
import type { Check } from './services/service.ts';

export interface ServiceCheck extends Check {
  readonly service: string;
}

/** What the world looked like, and when: RFC 3339, UTC. */
export interface Checked {
  readonly time: string;
  readonly checks: readonly ServiceCheck[];
}

/** How long it may take. ms */
const TIMEOUT = 2_000;
/** Between a change and the check that nobody waits for, at least; twice that at most. ms */
const DELAY = 1_000;

/** Looks at the world as clients see it, when asked or some time after a change, and remembers what it saw last. */
export class SelfCheck {
  readonly #look: (signal: AbortSignal) => Promise<readonly ServiceCheck[]>;
  readonly #log: Log;
  readonly #events: EventLog;
  #timer: NodeJS.Timeout | undefined;
  #last: Checked | undefined;

  constructor(look: (signal: AbortSignal) => Promise<readonly ServiceCheck[]>, log: Log, events: EventLog) {
    this.#look = look;
    this.#log = log;
    this.#events = events;
  }

  get last(): Checked | undefined {
    return this.#last;
  }

  async run(): Promise<readonly ServiceCheck[]> {
    this.#stop();
    const checks = await this.#look(AbortSignal.timeout(TIMEOUT));
    this.#last = { time: new Date().toISOString(), checks };
    const failed = checks.filter(({ ok }) => !ok);
    if (failed.length > 0) {
      this.#log.warn({ failed }, 'self-check failed');
      this.#events.emit('check-failed', { failed });
    }
    return checks;
  }

  /** Spread over a second, as all appliances of a process may have changed at once. */
  soon(): void {
    this.#timer ??= setTimeout(
      () => {
        this.run().catch((error: unknown) => this.#log.error({ err: error }, 'self-check could not be done'));
      },
      DELAY * (1 + Math.random()),
    ).unref();
  }

  close(): void {
    this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
