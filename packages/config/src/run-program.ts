import { destination, type Logger, pino } from 'pino';
import { parseArguments } from './arguments.ts';
import { loadConfig } from './load.ts';
import type { Config, Section } from './option.ts';
import { applyMutable } from './reload.ts';
import { failToStart, loadOrExit, type Startable } from './start.ts';

/** What runs after a program has started. */
export interface Running<Configuration = never> {
  stop(): Promise<void>;
  /** Takes over what is `mutable` in it; everything else is as it was at the start. */
  reload?(config: Configuration): void;
}

/** What the common options (`common-options.ts`) say of logging. */
interface LogSettings {
  readonly DEFAULT: { readonly debug: boolean; readonly log_level: string };
}

/**
 * The whole of a program's main file: reads the configuration, logs JSON lines to stdout, starts, ends on SIGTERM and SIGINT,
 * and takes over what may change on SIGHUP. Ends the process with code 2 when it cannot start.
 */
export async function runProgram<const Sections extends readonly Section[]>(
  program: Startable<Sections>,
  start: (config: Config<Sections> & LogSettings, log: Logger) => Promise<Running<Config<Sections>>>,
): Promise<void> {
  const { config, files, variables, notes } = loadOrExit(program);
  const checked = config as Config<Sections> & LogSettings;
  const log = createLogger(program.name, levelOf(checked));
  log.debug({ files, variables, notes }, 'configuration read');
  try {
    const running = await start(checked, log);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(running, signal, log));
    let current = config;
    process.on('SIGHUP', () => {
      current = reload(program, current, running, log);
    });
  } catch (error) {
    failToStart(error);
  }
}

function createLogger(name: string, level: string): Logger {
  return pino(
    {
      name,
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ dest: 1, sync: true }),
  );
}

function levelOf({ DEFAULT }: LogSettings): string {
  return DEFAULT.debug ? 'debug' : DEFAULT.log_level;
}

async function stop(running: Running, signal: string, log: Logger): Promise<void> {
  log.info({ signal }, 'stopping; the data plane runs on');
  await running.stop();
  process.exit(0);
}

/** Answers with the configuration that is in force from now on. */
function reload<const Sections extends readonly Section[]>(
  program: Startable<Sections>,
  current: Config<Sections>,
  running: Running<Config<Sections>>,
  log: Logger,
): Config<Sections> {
  let fresh: Config<Sections>;
  try {
    const { sources } = parseArguments(process.argv.slice(2));
    fresh = loadConfig(program, sources, process.env).config;
  } catch (error) {
    log.error({ err: error }, 'the configuration is not valid, the old one stays in force');
    return current;
  }
  const { config, changed, needsRestart } = applyMutable(program.sections, current, fresh);
  log.level = levelOf(config as Config<Sections> & LogSettings);
  running.reload?.(config);
  log.info({ changed, needsRestart }, 'configuration read again');
  return config;
}
