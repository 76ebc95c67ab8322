import { basename } from 'node:path';
import { errors } from './errors.ts';
import type { Home, Process } from './home.ts';
import { type Privileges, privilegePrefix } from './privileges.ts';
import { parentOf, signalProcess, startTime, until } from './processes.ts';
import type { Supervisor } from './supervisor.ts';

const TERM_TIMEOUT = 2_000;
const READY_TIMEOUT = 5_000;
/** A daemon that lived this long has earned an immediate restart. ms */
const STABLE = 10_000;
const MAX_BACKOFF = 30_000;

export interface DaemonOptions {
  /** The program's name, as in its arguments. */
  readonly program: string;
  readonly home: Home;
  readonly supervisor: Supervisor;
  /** Default: those of this process, which is root. */
  readonly privileges?: Privileges;
  /** Of several that run one program: which of its processes can be this one, by their arguments. Default: every one. */
  readonly mine?: (argv: readonly string[]) => boolean;
  /** It has ended by itself: called at once the first time, later and later when it keeps ending. */
  readonly revive: () => void;
}

/** One daemon of one appliance: started, found again, watched, stopped. Of those that are `mine`, at most one runs. */
export class Daemon {
  readonly #options: DaemonOptions;
  #running: { pid: number; start: string; argv: readonly string[] } | undefined;
  #startedAt = 0;
  #backoff = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** Its pid and arguments while it runs, as far as is known without looking around. */
  get running(): { readonly pid: number; readonly argv: readonly string[] } | undefined {
    const running = this.#running;
    return running !== undefined && startTime(running.pid) === running.start ? running : undefined;
  }

  /**
   * Takes over what an earlier agent started. Of several, the first that `wanted` likes; the others are stopped. `processes`: what
   * runs in the home, for those who adopt several daemons.
   */
  async adopt(wanted: (argv: readonly string[]) => boolean, processes?: readonly Process[]): Promise<void> {
    const { home, program, mine = () => true } = this.#options;
    const all = processes ?? (await home.processes());
    const named = all.filter(({ argv }) => basename(argv[0] ?? '') === program && mine(argv));
    // A daemon's own children look like it.
    const found = named.filter(({ pid }) => !named.some((process) => process.pid === parentOf(pid)));
    const chosen = found.find(({ argv }) => wanted(argv)) ?? found[0];
    await Promise.all(found.filter((process) => process !== chosen).map(({ pid }) => end(pid)));
    if (chosen !== undefined) this.#take(chosen.pid, chosen.argv);
  }

  /** Starts it; resolves when `ready` says so. Rejects when it ends before, or takes too long, and then nothing runs. */
  async start(argv: readonly string[], ready: () => boolean | Promise<boolean>): Promise<void> {
    await this.stop();
    const { home, program, privileges } = this.#options;
    const pid = await home.spawnDaemon(argv, privileges && privilegePrefix(privileges));
    this.#startedAt = performance.now();
    const alive = () => startTime(pid) !== undefined;
    await until(async () => !alive() || (await ready()), READY_TIMEOUT);
    if (!alive()) throw errors.make('APPLIANCE_DAEMON_FAILED', { daemon: program, reason: 'it ended at once' });
    if (!(await ready())) {
      await end(pid);
      throw errors.make('APPLIANCE_DAEMON_FAILED', { daemon: program, reason: `not ready after ${READY_TIMEOUT} ms` });
    }
    this.#take(pid, argv);
  }

  signal(name: NodeJS.Signals): boolean {
    const running = this.running;
    return running !== undefined && signalProcess(running.pid, name);
  }

  async stop(): Promise<void> {
    const running = this.running;
    this.release();
    if (running !== undefined) await end(running.pid);
  }

  /** Forgets it and lets it run. */
  release(): void {
    clearTimeout(this.#retry);
    if (this.#running !== undefined) this.#options.supervisor.unwatch(this.#running.pid);
    this.#running = undefined;
  }

  /** What could not be started is tried again later. */
  reviveLater(): void {
    this.#backoff = Math.min(Math.max(this.#backoff * 2, 1_000), MAX_BACKOFF);
    this.#schedule(this.#backoff);
  }

  #take(pid: number, argv: readonly string[]): void {
    const start = startTime(pid);
    if (start === undefined) return;
    this.#running = { pid, start, argv };
    this.#options.supervisor.watch(pid, () => this.#gone());
  }

  #gone(): void {
    this.#running = undefined;
    if (performance.now() - this.#startedAt > STABLE) this.#backoff = 0;
    this.#schedule(this.#backoff);
    this.#backoff = Math.min(Math.max(this.#backoff * 2, 1_000), MAX_BACKOFF);
  }

  #schedule(delay: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#options.revive(), delay);
    this.#retry.unref();
  }
}

async function end(pid: number): Promise<void> {
  const start = startTime(pid);
  if (start === undefined || !signalProcess(pid, 'SIGTERM')) return;
  const gone = () => startTime(pid) !== start;
  if (await until(gone, TERM_TIMEOUT)) return;
  signalProcess(pid, 'SIGKILL');
  await until(gone, TERM_TIMEOUT);
}
