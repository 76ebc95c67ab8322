import { spawn } from 'node:child_process';
import { PROGRAM_PATH } from './programs.ts';

export interface ProgramResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when it was ended by a signal, also by ours after its timeout. */
  readonly status: number | null;
  /** Why `status` is not 0, in words; empty when it is. */
  readonly problem: string;
}

/** A small, fixed environment: what a daemon does must not depend on who started the agent. */
export const programEnvironment = { PATH: PROGRAM_PATH, LC_ALL: 'C' };

const OUTPUT_LIMIT = 16 * 1024 * 1024;

/**
 * Runs a program in a session of its own, so that it and its children can be ended together, and waits for its end and for all
 * its output. Never rejects: the result says what happened.
 */
export function runProgram(
  argv: readonly string[],
  options: { readonly timeout: number; readonly input?: string },
): Promise<ProgramResult> {
  const { promise, resolve } = Promise.withResolvers<ProgramResult>();
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    detached: true,
    cwd: '/',
    env: programEnvironment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let problem = '';
  let size = 0;

  const end = (why: string) => {
    problem ||= why;
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
    }
  };
  const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
    size += chunk.length;
    if (size > OUTPUT_LIMIT) end(`more than ${OUTPUT_LIMIT} bytes of output`);
    else chunks.push(chunk);
  };
  const timer = setTimeout(() => end(`not finished after ${options.timeout} ms`), options.timeout);

  child.stdout.on('data', collect(stdout));
  child.stderr.on('data', collect(stderr));
  // A program that does not read its input closes the pipe early; its exit status tells the rest.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  child.on('error', (error) => {
    problem ||= error.message;
  });
  child.on('close', (status, signal) => {
    clearTimeout(timer);
    if (signal !== null) problem ||= `ended by ${signal}`;
    else if (status !== 0) problem ||= `exit status ${status}`;
    resolve({
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
      status,
      problem,
    });
  });
  return promise;
}
