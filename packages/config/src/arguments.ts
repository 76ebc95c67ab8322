import { parseArgs } from 'node:util';
import { ConfigError, configErrors } from './errors.ts';

export interface Arguments {
  /** Configuration files and directories in the order given; what comes later wins. */
  readonly sources: readonly { readonly kind: 'file' | 'dir'; readonly path: string }[];
  readonly checkConfig: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

/** The arguments that all programs of ours take. Throws a {@link ConfigError} for any other. */
export function parseArguments(argv: readonly string[]): Arguments {
  try {
    const { values, tokens } = parseArgs({
      args: [...argv],
      options: {
        'config-file': { type: 'string', multiple: true },
        'config-dir': { type: 'string', multiple: true },
        'check-config': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
      tokens: true,
    });
    const sources = tokens.flatMap((token) =>
      token.kind === 'option' && token.value !== undefined
        ? [{ kind: token.name === 'config-file' ? ('file' as const) : ('dir' as const), path: token.value }]
        : [],
    );
    const { 'check-config': checkConfig = false, help = false, version = false } = values;
    return { sources, checkConfig, help, version };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([configErrors.make('CONFIG_ARGUMENT', { problem }, { cause })]);
  }
}

export function helpText(program: string, does: string): string {
  return `${program}: ${does}

  --config-file FILE   read this file; may be given several times, the last one wins (default /etc/astara/astara.conf)
  --config-dir DIR     read DIR/*.conf in the order of their names (default /etc/astara/astara.conf.d)
  --check-config       read and check the configuration, say what is wrong with it, and do nothing else
  --version            print the version
  --help, -h           print this

An environment variable OS_<SECTION>__<OPTION> goes before the files.
Exit codes: 0 all is well; 2 it could not start, and says why.
`;
}
