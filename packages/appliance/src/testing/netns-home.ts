import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Netns } from '@astara/kernel/contract.ts';
import { errors } from '../errors.ts';
import type { Home, Process } from '../home.ts';

/** A Home for tests: a named network namespace and a directory, without namespaces for mounts and processes. */
export class NetnsHome implements Home {
  readonly netns: Netns;
  readonly runDir: string;
  readonly runDirInside: string;
  readonly #name: string;

  constructor(name: string, netns: Netns, runDir: string) {
    this.#name = name;
    this.netns = netns;
    this.runDir = runDir;
    this.runDirInside = runDir;
  }

  async run(argv: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const args = ['netns', 'exec', this.#name, ...argv];
    const child = execFile('ip', args, { timeout: options.timeout ?? 10_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(errors.make('HOME_RUN_FAILED', { program: argv[0], reason: stderr || error.message }, { cause: error }));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
    return promise;
  }

  /** `ip netns exec` becomes the program, so the pid is the daemon's. */
  async spawnDaemon(argv: readonly string[], through: readonly string[] = []): Promise<number> {
    const child = spawn('ip', ['netns', 'exec', this.#name, ...through, ...argv], { detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    child.unref();
    return child.pid ?? Number.NaN;
  }

  async processes(): Promise<Process[]> {
    const mine = `net:[${statSync(`/run/netns/${this.#name}`).ino}]`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && namespaceOf(name) === mine)
      .map((name) => ({ pid: Number(name), argv: commandLine(name) }))
      .filter(({ argv }) => argv.length > 0);
  }
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // it has ended
  }
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
