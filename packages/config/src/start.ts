import { writeSync } from 'node:fs';
import { AstaraError } from '@astara/model/error.ts';
import { helpText, parseArguments } from './arguments.ts';
import { ConfigError } from './errors.ts';
import { type Loaded, loadConfig, type Program } from './load.ts';
import type { Section } from './option.ts';

/** Why a program cannot start: the text of {@link failToStart}. */
export function failureText(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(pair).join('');
  if (error instanceof AstaraError) return pair(error);
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: ${what}\nwhat to do: this is a fault of Astara's own; please report it with the text above\n`;
}

/** Says why on standard error and ends the process with exit code 2. For what happens before anything has been started. */
export function failToStart(error: unknown): never {
  // Synchronous: the process ends right here.
  writeSync(2, failureText(error));
  process.exit(2);
}

export interface Startable<Sections extends readonly Section[]> extends Program<Sections> {
  /** `astara-agent` */
  readonly name: string;
  /** For --help, one line. */
  readonly does: string;
  readonly version: string;
}

/**
 * The first lines of every program: reads the command line, the configuration files and the environment.
 * Ends the process for --help, --version and --check-config (0), and when anything is wrong with either (2).
 */
export function loadOrExit<const Sections extends readonly Section[]>(
  program: Startable<Sections>,
  argv: readonly string[] = process.argv.slice(2),
): Loaded<Sections> {
  try {
    const { sources, checkConfig, help, version } = parseArguments(argv);
    if (help) sayAndExit(helpText(program.name, program.does));
    if (version) sayAndExit(`${program.name} ${program.version}\n`);
    const loaded = loadConfig(program, sources, process.env);
    if (checkConfig) {
      const notes = loaded.notes.map((note) => `note: ${note}\n`).join('');
      const { files, variables } = loaded;
      const read = [...files, ...variables].join(', ') || 'no file: defaults only';
      sayAndExit(`${notes}the configuration is valid (${read})\n`);
    }
    return loaded;
  } catch (error) {
    return failToStart(error);
  }
}

function pair(error: AstaraError): string {
  return `error: ${error.message}\nwhat to do: ${error.remedy}\n`;
}

function sayAndExit(text: string): never {
  writeSync(1, text);
  process.exit(0);
}
