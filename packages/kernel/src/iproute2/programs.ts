/** Runs the programs of the slow way, in a namespace held by a descriptor. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { kernelErrors } from '../errors.ts';

/** The programs and the Debian packages they come from. */
const PACKAGES = {
  ip: 'iproute2',
  nft: 'nftables',
  conntrack: 'conntrack',
  nsenter: 'util-linux',
  sh: 'dash',
  ping: 'iputils-ping',
  node: 'nodejs',
} as const;

export type Program = keyof typeof PACKAGES;

/** What nothing works without; `ping` is for probes alone. */
export const PROGRAMS: readonly Program[] = ['ip', 'nft', 'conntrack', 'nsenter', 'sh'];

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects with KERNEL_PROGRAM_MISSING, which names the program and its Debian package. */
export function findProgram(program: Program, path = searchPath()): string {
  // The one that runs us.
  if (program === 'node') return process.execPath;
  for (const directory of path.split(delimiter)) {
    if (directory === '') continue;
    const file = join(directory, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this one.
    }
  }
  throw kernelErrors.make('KERNEL_PROGRAM_MISSING', { program, package: PACKAGES[program] });
}

/** A user's PATH often has no sbin. */
function searchPath(): string {
  return [process.env.PATH ?? '', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(delimiter);
}

/**
 * Runs `program`, in the namespace of descriptor `netns` (null: ours), and gives it `input`. The descriptor goes along as
 * number 3, so the namespace is found even when its name is gone. An abort kills the program, which then has ended with code 1.
 */
export function run(
  netns: number | null,
  program: Program,
  args: readonly string[],
  input = '',
  signal?: AbortSignal,
): Promise<Ended> {
  const path = findProgram(program);
  const [file, argv] =
    netns === null ? [path, [...args]] : [findProgram('nsenter'), ['--net=/proc/self/fd/3', '--', path, ...args]];
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, {
      stdio: ['pipe', 'pipe', 'pipe', ...(netns === null ? [] : [netns])],
      env: { ...process.env, LC_ALL: 'C' },
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    // nsenter has become the program.
    const kill = () => child.kill('SIGKILL');
    if (signal?.aborted === true) kill();
    signal?.addEventListener('abort', kill, { once: true });
    child.on('close', (code) => {
      signal?.removeEventListener('abort', kill);
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    // A program that fails early does not read its input; its exit code says why.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
