import { basename } from 'node:path';
import { errors as applianceErrors } from '@astara/appliance/errors.ts';
import type { Home, Process } from '@astara/appliance/home.ts';
import { runProgram } from '@astara/appliance/run-program.ts';
import type { Netns } from '@astara/kernel/contract.ts';
import { errors } from './errors.ts';
import { readConsoleTail } from './instances/console.ts';
import { isAlive } from './instances/init.ts';
import type { InstancePaths } from './instances/paths.ts';
import { children, commandLine, descendants, innerPid } from './instances/proc.ts';
import type { InitRef } from './instances/record.ts';

const RUN_TIMEOUT = 10_000;
const SPAWN_TIMEOUT = 5_000;

/**
 * `setsid --fork` ends once its child runs, so init adopts that child: the daemon belongs to the instance, not to us. The shell
 * tells its pid (as the instance sees it) and becomes the daemon. Output goes where `GET …/console` reads it.
 */
const daemonScript = `
program=$1
shift
command -v "$program" >/dev/null || { echo missing; exit 127; }
echo "$$"
exec "$@" </dev/null >>"/run/log/\${program##*/}.log" 2>&1
`;

export interface NamespaceHomeOptions {
  readonly id: string;
  readonly init: InitRef;
  readonly paths: InstancePaths;
  readonly netns: Netns;
  readonly onDaemon?: (program: string) => void;
}

/** The Home of an appliance that lives in an instance of this host: reached through the namespaces of the instance's init. */
export class NamespaceHome implements Home {
  readonly netns: Netns;
  readonly runDir: string;
  readonly runDirInside = '/run';
  readonly #id: string;
  readonly #init: InitRef;
  readonly #onDaemon: ((program: string) => void) | undefined;

  constructor(options: NamespaceHomeOptions) {
    this.netns = options.netns;
    this.runDir = options.paths.run;
    this.#id = options.id;
    this.#init = options.init;
    this.#onDaemon = options.onDaemon;
  }

  async run(argv: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<string> {
    const { input, timeout = RUN_TIMEOUT } = options;
    const result = await runProgram(this.#inside(argv), { timeout, ...(input === undefined ? {} : { input }) });
    if (result.problem === '') return result.stdout;
    this.#mustBeAlive();
    const reason = [result.problem, result.stderr.trim()].filter((text) => text !== '').join(': ');
    throw applianceErrors.make('HOME_RUN_FAILED', { program: basename(argv[0] ?? ''), reason });
  }

  async spawnDaemon(argv: readonly string[], through: readonly string[] = []): Promise<number> {
    const name = argv[0] ?? '';
    const program = basename(name);
    const failed = (reason: string) => errors.make('AGENT_DAEMON_FAILED', { program, reason, id: this.#id });
    const script = ['setsid', '--fork', 'sh', '-c', daemonScript, 'sh', name, ...through, ...argv];
    const result = await runProgram(this.#inside(script), { timeout: SPAWN_TIMEOUT });
    this.#mustBeAlive();
    if (result.problem !== '') throw failed(result.stderr.trim() || result.problem);
    const answer = result.stdout.trim();
    if (answer === 'missing') throw failed('it is not installed');
    const pid = children(this.#init.pid).find((child) => innerPid(child) === Number(answer));
    if (pid === undefined) throw failed(readConsoleTail(this.runDir, program) || 'it ended at once');
    this.#onDaemon?.(program);
    return pid;
  }

  async processes(): Promise<Process[]> {
    if (!isAlive(this.#init)) return [];
    return descendants(this.#init.pid)
      .map((pid) => ({ pid, argv: commandLine(pid) }))
      .filter((process) => process.argv.length > 0);
  }

  #mustBeAlive(): void {
    if (!isAlive(this.#init)) throw errors.make('AGENT_INSTANCE_DEAD', { id: this.#id });
  }

  #inside(argv: readonly string[]): string[] {
    this.#mustBeAlive();
    const { pid } = this.#init;
    // Entering a mount namespace goes to its root, which is not ours when we run in a chroot: so to the root that its init has.
    const root = `/proc/${pid}/root`;
    return ['nsenter', `--target=${pid}`, '--net', '--mount', '--pid', `--root=${root}`, `--wd=${root}`, '--', ...argv];
  }
}
