import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NETNS_DIR } from '@astara/kernel/netns-dir.ts';
import type { ExecOptions, ExecResult } from './hypervisor.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface Running {
  readonly pid: number;
  /** Words separated by spaces. */
  readonly command: string;
}

/** Programs whose network is this namespace; none if it does not exist. */
export function programsIn(netns: string): Running[] {
  const inode = inodeOf(`${NETNS_DIR}/${netns}`);
  if (inode === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && inodeOf(`/proc/${name}/ns/net`) === inode)
    .map((name) => ({ pid: Number(name), command: commandOf(name) }));
}

/** Resolves when no program of the namespace is left; a program of it may start another meanwhile. */
export async function endPrograms(netns: string): Promise<void> {
  for (const deadline = performance.now() + 5_000; ; await sleep(5)) {
    const programs = programsIn(netns);
    if (programs.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`${programs.map(({ command }) => command)} of ${netns} do not end`);
    for (const { pid } of programs) signal(pid);
  }
}

/** Starts a program in the namespace that outlives us; what it prints goes to the end of `log`. Resolves when it runs there. */
export async function startProgram(
  netns: string,
  argv: readonly string[],
  log: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const output = openSync(log, 'a');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let ended = false;
  try {
    const child = spawn('nsenter', [`--net=${NETNS_DIR}/${netns}`, '--', ...argv], {
      cwd: '/',
      detached: true,
      env: { PATH, ...env },
      stdio: ['ignore', output, output],
    });
    child
      .once('spawn', () => resolve(child.pid ?? 0))
      .once('error', reject)
      .unref();
    child.once('exit', () => {
      ended = true;
    });
    const pid = await promise;
    // Until then it is nsenter, and whoever looks for the program does not find it.
    const inside = () => inodeOf(`/proc/${pid}/ns/net`) === inodeOf(`${NETNS_DIR}/${netns}`);
    while (!inside() || commandOf(`${pid}`).startsWith('nsenter ')) {
      await sleep(1);
      if (ended) throw new Error(`${argv.join(' ')} ended at once, see ${log}`);
    }
  } finally {
    closeSync(output);
  }
}

/** Runs a program in the namespace to its end, with the namespace's own /etc/resolv.conf. */
export function runIn(netns: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
  const child = spawn('ip', ['netns', 'exec', netns, ...argv], { cwd: '/', detached: true, env: { PATH } });
  const timer = setTimeout(() => child.pid !== undefined && signal(-child.pid), options.timeout ?? 30_000);
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(options.input ?? '');
  child.on('error', reject);
  child.on('close', (code) => {
    clearTimeout(timer);
    const [stdout, stderr] = [Buffer.concat(chunks.stdout).toString(), Buffer.concat(chunks.stderr).toString()];
    resolve({ code, stdout, stderr });
  });
  return promise;
}

/** Undefined when it is gone, as processes are at any moment. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch (error) {
    return gone(error);
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch (error) {
    return gone(error) ?? '';
  }
}

function gone(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // EACCES: kernel threads and, without CAP_SYS_PTRACE, other users' processes.
  if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
  throw error;
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    gone(error);
  }
}
