import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the daemons of an instance have printed: `<run>/log/<program>.log`, appended by the daemons themselves.
 * An instance has no syslog, so this is where a daemon's last words are.
 */

const KEEP = 1024 * 1024;

/** The last `bytes` of one program's log; empty when it has printed nothing. */
export function readConsoleTail(runDir: string, program: string, bytes = 2048): string {
  let fd: number;
  try {
    fd = openSync(join(runDir, 'log', `${program}.log`), 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw cause;
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    const length = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, length).trim();
  } finally {
    closeSync(fd);
  }
}

/** Program → the last `bytes` of its log. */
export function readConsole(runDir: string, bytes = 16 * 1024): Record<string, string> {
  const programs = logs(runDir).map((file) => file.slice(0, -'.log'.length));
  return Object.fromEntries(programs.map((program) => [program, readConsoleTail(runDir, program, bytes)]));
}

/** Empties logs that have grown beyond 1 MiB. Their writers append, so they go on at the start. */
export function trimConsole(runDir: string): void {
  for (const file of logs(runDir)) {
    const path = join(runDir, 'log', file);
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > KEEP) truncateSync(path);
  }
}

function logs(runDir: string): string[] {
  try {
    return readdirSync(join(runDir, 'log')).filter((file) => file.endsWith('.log'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}
