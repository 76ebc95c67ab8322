import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AstaraError } from '@astara/model/error.ts';
import type { Arguments } from './arguments.ts';
import type { Foreign, SourceFile } from './assignments.ts';
import { compile } from './compile.ts';
import type { Environment } from './environment.ts';
import { ConfigError, configErrors } from './errors.ts';
import type { Config, Section } from './option.ts';

export const DEFAULT_FILE = '/etc/astara/astara.conf';
export const DEFAULT_DIR = '/etc/astara/astara.conf.d';

export interface Program<Sections extends readonly Section[]> {
  readonly sections: Sections;
  /** What the other programs that share the file have in it. */
  readonly foreign?: Foreign;
  /** What no single option can check: returns a problem for each combination that cannot work. */
  readonly check?: (config: Config<Sections>) => readonly AstaraError[];
}

export interface Loaded<Sections extends readonly Section[]> {
  readonly config: Config<Sections>;
  /** The files read, in order. */
  readonly files: readonly string[];
  /** Variables of the environment that set something. */
  readonly variables: readonly string[];
  readonly notes: readonly string[];
}

/** Reads and compiles the configuration. Throws a {@link ConfigError} that holds every problem of all of it. */
export function loadConfig<const Sections extends readonly Section[]>(
  program: Program<Sections>,
  sources: Arguments['sources'] = [],
  environment: Environment = {},
): Loaded<Sections> {
  const problems: AstaraError[] = [];
  const files: SourceFile[] = [];
  for (const path of paths(sources, problems)) {
    const text = read(path, problems);
    if (text !== undefined) files.push({ file: path, text });
  }
  const { config, problems: found, notes, variables } = compile(program.sections, files, program.foreign, environment);
  // With a file missing, what that file would have set is not missing too.
  problems.push(...(problems.length === 0 ? found : found.filter(({ code }) => code !== 'CONFIG_MISSING')));
  if (config !== undefined) problems.push(...(program.check?.(config) ?? []));
  const [first, ...rest] = problems;
  if (first !== undefined || config === undefined) {
    throw new ConfigError(first === undefined ? [configErrors.make('CONFIG_INVALID')] : [first, ...rest]);
  }
  return { config, files: files.map(({ file }) => file), variables, notes };
}

function paths(sources: Arguments['sources'], problems: AstaraError[]): string[] {
  if (sources.length === 0) {
    const file = existsSync(DEFAULT_FILE) ? [DEFAULT_FILE] : [];
    return existsSync(DEFAULT_DIR) ? [...file, ...confFiles(DEFAULT_DIR, problems)] : file;
  }
  return sources.flatMap(({ kind, path }) => (kind === 'file' ? [path] : confFiles(path, problems)));
}

function confFiles(dir: string, problems: AstaraError[]): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
      .sort()
      .map((name) => join(dir, name));
  } catch (cause) {
    problems.push(unreadable(dir, cause));
    return [];
  }
}

function read(file: string, problems: AstaraError[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    problems.push(unreadable(file, cause));
    return undefined;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'it is not a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

function unreadable(file: string, cause: unknown): AstaraError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reason = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return configErrors.make('CONFIG_FILE_UNREADABLE', { file, reason }, { cause });
}
