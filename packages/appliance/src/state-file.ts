import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { Log } from './log.ts';

/**
 * Whole or not at all: a reader sees the old text or the new one. The directory is a tmpfs: nothing is synced, and going through
 * the thread pool would take several times as long as the work.
 */
export function writeAtomically(path: string, text: string, mode = 0o644): void {
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, text, { mode });
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

export function writeState(path: string, config: ApplianceConfig): void {
  writeAtomically(path, JSON.stringify(config), 0o600);
}

/** The configuration in force; undefined when there is none, or when this release cannot read it. */
export function readState(path: string, log: Log): ApplianceConfig | undefined {
  const text = readIfPresent(path);
  if (text === undefined) return undefined;
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    log.error({ err: error, path }, 'state file is not JSON, starting without it');
    return undefined;
  }
  const validated = validateConfig(input);
  if (validated.ok) return validated.value;
  log.error({ errors: validated.errors.slice(0, 5), path }, 'state file is not valid, starting without it');
  return undefined;
}
