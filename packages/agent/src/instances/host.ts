import type { Kernel, Netns } from '@astara/kernel/contract.ts';
import type { PlugKind } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Plug } from '../plugging/plug.ts';

/** What every instance of this host shares. */
export interface Host {
  readonly runDir: string;
  readonly kernel: Kernel;
  /** The agent's own network namespace: where the taps are. */
  readonly netns: Netns;
  readonly plugs: Readonly<Record<PlugKind, Plug>>;
  readonly log: Logger;
}
