import { execFile } from 'node:child_process';

export interface ExecOptions {
  readonly input?: string;
  /** Milliseconds. Default 30 000. */
  readonly timeout?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** How a program ended. `code` is null when a signal ended it (also our timeout). */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export function execute(argv: readonly string[], options: ExecOptions = {}): Promise<Ended> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const settings = { timeout: options.timeout ?? 30_000, env: options.env ?? process.env, maxBuffer: 64 << 20 };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      if (error && typeof error.code === 'string') reject(error);
      else resolve({ code: error ? (typeof error.code === 'number' ? error.code : null) : 0, stdout, stderr });
    });
    child.stdin?.on('error', () => {}); // it may end without reading what we write
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a program and returns its output; rejects when it does not exit with 0. */
export async function run(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await execute(argv, options);
  if (code !== 0)
    throw new Error(`${argv.join(' ')}: ${code === null ? 'killed' : `exit ${code}`}: ${stderr || stdout}`);
  return stdout;
}
