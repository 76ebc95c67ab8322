import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { ApplianceConfig } from '@astara/model/appliance-config.ts';
import { validateConfig } from '@astara/model/config-rules.ts';
import type { Log } from './log.ts';

/** Whole or not at all: a reader sees the old text or the new one. The directory is a tmpfs, so nothing is synced. */
export async function writeAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, text, { mode });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** `undefined` when there is no such file. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeState(path: string, config: ApplianceConfig): Promise<void> {
  await writeAtomically(path, JSON.stringify(config), 0o600);
}

/** The configuration in force; undefined when there is none, or when this release cannot read it. */
export async function readState(path: string, log: Log): Promise<ApplianceConfig | undefined> {
  const text = await readIfPresent(path);
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
