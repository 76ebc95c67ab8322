import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { NamespaceProvider } from '@astara/orchestrator/providers/namespace.ts';
import { waitFor } from '../e2e/lib/wait.ts';
import { noteProcess } from './previous-run.ts';

/** The real `astara-agent`, with the demo's own directory, so that another one on this machine is not in its way. */
export class AgentProcess {
  readonly socket: string;
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(dir: string, config: string) {
    this.socket = `${dir}/agent.sock`;
    this.#log = `${dir}/agent.log`;
    const log = openSync(this.#log, 'a');
    const program = new URL('../packages/agent/bin/astara-agent.mjs', import.meta.url).pathname;
    // A session of its own: Ctrl-C at the terminal is for the demo, which still needs the agent to clean up.
    const options = { stdio: ['ignore', log, log] as ('ignore' | number)[], detached: true };
    this.#child = spawn(process.execPath, ['--max-semi-space-size=2', program, '--config-file', config], options);
  }

  static async start(dir: string, config: string): Promise<AgentProcess> {
    const agent = new AgentProcess(dir, config);
    noteProcess(dir, 'agent', agent.#child.pid ?? 0);
    await waitFor('the agent to answer', () => agent.#answers(), { timeout: 20_000, interval: 50 });
    return agent;
  }

  /** Removes all instances, then ends. What it had made is gone afterwards. */
  async stop(): Promise<void> {
    const provider = new NamespaceProvider({ socket: this.socket, connections: 4 });
    const signal = AbortSignal.timeout(30_000);
    try {
      for (const { id } of await provider.list(signal)) await provider.destroy(id, signal);
    } finally {
      provider.close();
      if (this.#child.exitCode === null) {
        this.#child.kill('SIGTERM');
        await once(this.#child, 'exit');
      }
    }
  }

  async #answers(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`the agent ended; ${this.#log} says why`);
    const provider = new NamespaceProvider({ socket: this.socket, connections: 1 });
    try {
      await provider.list(AbortSignal.timeout(1_000));
      return true;
    } finally {
      provider.close();
    }
  }
}
