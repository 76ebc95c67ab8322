import { readFileSync } from 'node:fs';
import type { Log } from '../../log.ts';

/** Between two looks whether dnsmasq has time. ms */
const PAUSE = 20;
/** After a failure, such as a full disk. ms */
const RETRY = 1_000;

export interface Ways {
  readonly log: Log;
  readonly pid: () => number | undefined;
  /** Lets dnsmasq find lines that came. */
  readonly append: (lines: readonly string[]) => void;
  /** Lets dnsmasq read everything again. */
  readonly reread: () => void;
}

/**
 * Tells a dnsmasq of changes when it has time for them. Each file that comes costs one with many leases the same, whether it has
 * one line or a hundred, and before it answers anybody it reads all that have come: told one by one of what comes in a second, it
 * would answer nobody for minutes.
 */
export class Messenger {
  readonly #ways: Ways;
  #lines: string[] = [];
  #reread = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  /** Lines that it has not been told yet. */
  get waiting(): readonly string[] {
    return this.#lines;
  }

  append(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#lines.push(...lines);
    if (this.#timer === undefined && this.#hasTime()) this.flush();
    else this.#later(PAUSE);
  }

  /** Everything is written already, what waited included. */
  reread(): void {
    this.#lines = [];
    this.#reread = true;
    if (this.#timer === undefined && this.#hasTime()) this.flush();
    else this.#later(PAUSE);
  }

  /** Now, whether or not it has time. */
  flush(): void {
    const lines = this.#lines;
    const reread = this.#reread;
    if (lines.length > 0) this.#ways.append(lines);
    if (reread) this.#ways.reread();
    this.forget();
  }

  /** It starts anew and reads everything. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lines = [];
    this.#reread = false;
  }

  #later(delay: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#hasTime()) this.#later(PAUSE);
      else this.#try();
    }, delay);
    this.#timer.unref();
  }

  #try(): void {
    try {
      this.flush();
    } catch (error) {
      this.#ways.log.error({ err: error }, 'dnsmasq could not be told of hosts that came, trying again');
      this.#later(RETRY);
    }
  }

  /** It sleeps until somebody asks; one that has ended reads everything when it is started again. */
  #hasTime(): boolean {
    const pid = this.#ways.pid();
    if (pid === undefined) return true;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat.charAt(stat.lastIndexOf(')') + 2) === 'S';
    } catch {
      return true; // it has just ended
    }
  }
}
