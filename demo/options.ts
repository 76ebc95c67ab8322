import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Unattended: builds, proves, removes, and ends with exit code 0 or 1. */
  readonly check: boolean;
  /** No packets: instances and servers are imagined. Needs no root. */
  readonly simulated: boolean;
}

export const usage = `usage: ./run demo [--check] [--simulated]
  --check      unattended: build, prove, remove everything; exit code 0 when all was well, 1 when not
  --simulated  without root: the same cloud and the same orchestrator, but instances and servers are only imagined
`;

/** @throws TypeError that says which argument there is not */
export function parseOptions(argv: readonly string[]): DemoOptions & { readonly help: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      check: { type: 'boolean', default: false },
      simulated: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return values;
}
