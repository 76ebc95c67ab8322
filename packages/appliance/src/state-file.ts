import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Whole or not at all: a reader sees the old text or the new one. The directory is a tmpfs: nothing is synced, and going through
 * the thread pool would take several times as long as the work.
 */
export function writeAtomically(path: string, text: string, mode = 0o644): void {
  const temporary = `${path}.tmp`;
  try {
    // Made anew: in a directory of a daemon's a link could lie in wait there, and we are root.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { mode, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** `undefined` when there is no such file. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
