import type { Netns } from '@astara/kernel/contract.ts';

/**
 * Where an appliance lives: a namespace of a host (the agent makes one Home per instance), or a machine of its own.
 * Services reach the world through it and nothing else.
 */
export interface Home {
  /** The appliance's network. */
  readonly netns: Netns;

  /**
   * The root directory of a machine that is the appliance's own, as seen by this process. Absent: its files are those of a host
   * that has other purposes, and are not to be touched.
   */
  readonly root?: string;

  /** A directory of the appliance's own, as seen by this process; its daemons see it as {@link runDirInside}. */
  readonly runDir: string;
  readonly runDirInside: string;

  /** Runs a program inside the appliance to its end. Rejects with HOME_RUN_FAILED when it exits non-zero or outlives `timeout` (ms). */
  run(argv: readonly string[], options?: { input?: string; timeout?: number }): Promise<string>;

  /**
   * Starts a daemon inside the appliance, detached: it outlives this process. The program must stay in the foreground
   * (the Home detaches it). `through` are arguments that go before and make way for it, such as setpriv's. Resolves with its pid
   * as this process sees it.
   */
  spawnDaemon(argv: readonly string[], through?: readonly string[]): Promise<number>;

  /** The programs running inside the appliance, whoever started them; init and its like are left out. */
  processes(): Promise<Process[]>;
}

export interface Process {
  /** As this process sees it. */
  readonly pid: number;
  readonly argv: readonly string[];
}
