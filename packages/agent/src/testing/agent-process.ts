import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { instancePaths } from '../instances/paths.ts';
import { type InitRef, type InstanceRecord, readRecord } from '../instances/record.ts';
import { until } from '../poll.ts';
import { call, hostClient } from './client.ts';

const compileCache = join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', '.cache', 'astara');

const started: AgentProcess[] = [];

afterAll(async () => {
  await Promise.all(started.map((agent) => agent.end('SIGKILL')));
});

/** The agent as operators start it: a process of its own. */
export class AgentProcess {
  readonly #runDir: string;
  readonly socket: string;
  readonly client;
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(runDir: string, extra = '') {
    this.#runDir = runDir;
    const config = join(runDir, 'astara.conf');
    writeFileSync(config, `[DEFAULT]\nrun_dir = ${runDir}\n${extra}`);
    this.socket = join(runDir, 'agent.sock');
    this.client = hostClient(this.socket);
    const program = join(import.meta.dirname, '..', '..', 'bin', 'astara-agent.mjs');
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
    this.child = spawn(process.execPath, [program, '--config-file', config], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    started.push(this);
  }

  async serving(): Promise<this> {
    const answers = () =>
      call(this.socket, 'GET', '/healthz').then(
        ({ status }) => status === 200,
        () => this.child.exitCode !== null,
      );
    await until(answers, 20_000);
    expect(this.child.exitCode, this.stderr).toBeNull();
    return this;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      await once(this.child, 'exit');
    }
    return this.child.exitCode;
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  record(id: string): ReturnType<typeof readWhole> {
    return readWhole(instancePaths(this.#runDir, id).record);
  }
}

/** The record of an instance that has an init. */
export async function readWhole(path: string): Promise<InstanceRecord & { init: InitRef }> {
  const record = await readRecord(path);
  if (!record?.init) throw new Error(`no whole record at ${path}`);
  return { ...record, init: record.init };
}
