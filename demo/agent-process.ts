import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { NamespaceProvider } from '@astara/orchestrator/providers/namespace.ts';
import { waitFor } from '../e2e/lib/wait.ts';
import { noteProcess } from './previous-run.ts';

/** Milliseconds until an agent that ended is started again. */
const PAUSE = 500;

/** The real `astara-agent`, with the demo's own directory, so that another one on this machine is not in its way. Who kills it gets a new one. */
export class AgentProcess {
  readonly #dir: string;
  readonly #config: string;
  #child: ChildProcess;
  #stopping = false;

  private constructor(dir: string, config: string) {
    this.#dir = dir;
    this.#config = config;
    this.#child = this.#spawn();
  }

  static async start(dir: string, config: string): Promise<AgentProcess> {
    const agent = new AgentProcess(dir, config);
    await agent.#answers();
    return agent;
  }

  /** Removes all instances, then ends. What it had made is gone afterwards. */
  async stop(): Promise<void> {
    await this.#answers();
    this.#stopping = true;
    const signal = AbortSignal.timeout(30_000);
    const provider = this.#provider();
    try {
      for (const { id } of await provider.list(signal)) await provider.destroy(id, signal);
    } finally {
      provider.close();
      if (this.#runs) {
        this.#child.kill('SIGTERM');
        await once(this.#child, 'exit');
      }
    }
  }

  get #runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #spawn(): ChildProcess {
    const log = openSync(`${this.#dir}/agent.log`, 'a');
    const program = new URL('../packages/agent/bin/astara-agent.mjs', import.meta.url).pathname;
    // A session of its own: Ctrl-C at the terminal is for the demo, which still needs the agent to clean up.
    const options = { stdio: ['ignore', log, log] as ('ignore' | number)[], detached: true };
    const argv = ['--max-semi-space-size=2', program, '--config-file', this.#config];
    const child = spawn(process.execPath, argv, options);
    closeSync(log);
    noteProcess(this.#dir, 'agent', child.pid ?? 0);
    child.once('exit', () => {
      if (!this.#stopping) setTimeout(() => this.#respawn(), PAUSE);
    });
    return child;
  }

  #respawn(): void {
    if (!this.#stopping) this.#child = this.#spawn();
  }

  #provider(): NamespaceProvider {
    return new NamespaceProvider({ socket: `${this.#dir}/agent.sock`, connections: 4 });
  }

  async #answers(): Promise<void> {
    const provider = this.#provider();
    const listed = () => provider.list(AbortSignal.timeout(1_000)).then(() => true);
    try {
      await waitFor(`the agent to answer (its log: ${this.#dir}/agent.log)`, listed, { timeout: 15_000, interval: 50 });
    } finally {
      provider.close();
    }
  }
}
