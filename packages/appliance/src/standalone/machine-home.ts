import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Netns } from '@astara/kernel/contract.ts';
import { errors } from '../errors.ts';
import type { Home, Process } from '../home.ts';
import { startTime } from '../processes.ts';
import { isOnPath } from '../programs.ts';
import { programEnvironment, runProgram } from '../run-program.ts';

const RUN_TIMEOUT = 10_000;
/** Below the run directory: a file for each daemon, `PID-START`. */
const DAEMONS = 'daemons';
const LOG = 'log';

/**
 * The Home of an appliance that has a machine of its own: the network of this process, whose files are the appliance's. Of the
 * programs that run on the machine only those are its daemons that it has started; a file of each says so to the next process.
 */
export class MachineHome implements Home {
  readonly netns: Netns;
  readonly runDir: string;
  readonly runDirInside: string;
  readonly root = '/';

  /** The run directory is made if it is not there. */
  constructor(netns: Netns, runDir: string) {
    this.netns = netns;
    this.runDir = runDir;
    this.runDirInside = runDir;
    // Daemons that are not root must be able to pass.
    for (const directory of [runDir, join(runDir, LOG)]) mkdirSync(directory, { recursive: true, mode: 0o755 });
    mkdirSync(join(runDir, DAEMONS), { recursive: true, mode: 0o700 });
  }

  async run(argv: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<string> {
    const { input, timeout = RUN_TIMEOUT } = options;
    const result = await runProgram(argv, { timeout, ...(input === undefined ? {} : { input }) });
    if (result.problem === '') return result.stdout;
    const reason = [result.problem, result.stderr.trim()].filter((text) => text !== '').join(': ');
    throw errors.make('HOME_RUN_FAILED', { program: basename(argv[0] ?? ''), reason });
  }

  async spawnDaemon(argv: readonly string[], through: readonly string[] = []): Promise<number> {
    const name = basename(argv[0] ?? '');
    const failed = (reason: string) => errors.make('APPLIANCE_DAEMON_FAILED', { daemon: name, reason });
    if (!isOnPath(name)) throw failed('it is not installed');
    const [program = '', ...args] = [...through, ...argv];
    const log = openSync(join(this.runDir, LOG, `${name}.log`), 'a', 0o600);
    try {
      const options = {
        detached: true,
        cwd: '/',
        env: programEnvironment,
        stdio: ['ignore', log, log] as ('ignore' | number)[],
      };
      const child = spawn(program, args, options);
      // What is wrong with it later is seen by its pid.
      child.on('error', () => undefined);
      await once(child, 'spawn');
      child.unref();
      const { pid } = child;
      const start = pid === undefined ? undefined : startTime(pid);
      if (pid === undefined || start === undefined) throw failed('it ended at once');
      writeFileSync(join(this.runDir, DAEMONS, `${pid}-${start}`), '', { mode: 0o600 });
      return pid;
    } finally {
      closeSync(log);
    }
  }

  async processes(): Promise<Process[]> {
    const directory = join(this.runDir, DAEMONS);
    return readdirSync(directory).flatMap((file) => {
      const [pid = 0, start] = [Number(file.split('-')[0]), file.split('-')[1]];
      if (startTime(pid) === start) return [{ pid, argv: commandLine(pid) }];
      rmSync(join(directory, file), { force: true });
      return [];
    });
  }
}

/** Empty when it has just ended. */
function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
