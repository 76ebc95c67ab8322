import type { OptionSpec } from './option.ts';

/** Options that every program on a node reads, declared here so that they are declared once. */

export const commonDefaults = {
  debug: {
    type: 'boolean',
    default: false,
    mutable: true,
    description: 'Log at level debug, whatever log_level says.',
  },
  log_level: {
    type: 'string',
    choices: ['trace', 'debug', 'info', 'warn', 'error'],
    default: 'info',
    mutable: true,
    description: 'The least severe messages that are logged.',
  },
  run_dir: {
    type: 'path',
    default: '/run/astara',
    max: 50,
    description:
      'Where sockets and the state of the instances live. It must not outlive a reboot of the machine, and all programs must name the same.',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** In `[agent]`: where the orchestrator finds the agent. */
export const agentSocket = {
  type: 'path',
  default: '$run_dir/agent.sock',
  max: 107,
  description: "Unix socket of the host agent's API.",
} as const satisfies OptionSpec;

export const defaultDescription = 'What concerns the program as a whole.';
export const agentDescription = 'The host agent: it makes the instances and runs their appliance cores.';
