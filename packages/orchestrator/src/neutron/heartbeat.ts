import type { Logger } from 'pino';
import { backoff } from './backoff.ts';
import type { AgentState, NeutronRpc } from './rpc.ts';

export interface HeartbeatOptions {
  readonly rpc: NeutronRpc;
  /** What to report now. */
  readonly state: () => AgentState;
  /** Milliseconds. */
  readonly interval: number;
  /** Milliseconds after which Neutron takes a silent agent for dead (`agent_down_time`). */
  readonly downTime: number;
  /**
   * Neutron may have handed our work to others, or may never have known us: list everything anew. Called with the first
   * answer too.
   */
  readonly onLapse: (why: string) => void;
  readonly logger: Logger;
}

/** Keeps an agent alive in Neutron's eyes: `report_state` every interval, and soon again after one that got no answer. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** When Neutron answered last, on the monotonic clock. */
  #answered: number | undefined;
  #failures = 0;
  #interval: number;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#interval = options.interval;
  }

  /** Whether Neutron has answered, and not too long ago. */
  get alive(): boolean {
    return this.#answered !== undefined && performance.now() - this.#answered < this.#options.downTime;
  }

  /** Milliseconds between two reports from now on, beginning with one at once if Neutron answers. */
  every(interval: number): void {
    if (interval === this.#interval) return;
    this.#interval = interval;
    if (this.alive) this.beat();
  }

  /** Reports at once. */
  beat(): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#report().then((wait) => {
      this.#running = undefined;
      if (this.#stop.signal.aborted) return;
      const delay = this.#again ? 0 : wait;
      this.#again = false;
      this.#timer = setTimeout(() => this.beat(), delay);
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Answers how long to wait for the next. */
  async #report(): Promise<number> {
    const { rpc, state, downTime, onLapse, logger } = this.#options;
    const interval = this.#interval;
    const report = state();
    try {
      // An answer that comes later than this is of no use to an agent that is to be seen alive.
      const timeout = Math.min(interval, 10_000 * 2 ** Math.min(this.#failures, 3));
      const answer = await rpc.reportState(report, this.#answered === undefined, {
        timeout,
        signal: this.#stop.signal,
      });
      const now = performance.now();
      const silent = this.#answered === undefined ? undefined : now - this.#answered;
      const failures = this.#failures;
      this.#answered = now;
      this.#failures = 0;
      if (silent === undefined) onLapse('first report');
      else if (answer !== 'alive') onLapse(`Neutron answered ${answer}`);
      else if (silent > downTime) onLapse('reports had stopped');
      // A server that died may have committed changes that it told nobody of.
      else if (failures > 0) onLapse('Neutron answers again');
      return this.#interval;
    } catch (error) {
      if (this.#stop.signal.aborted) return interval;
      this.#failures += 1;
      logger.warn({ err: error, agent: report.agentType, failures: this.#failures }, 'agent report failed');
      return Math.min(this.#interval, backoff(this.#failures, 1000, 5000));
    }
  }
}
