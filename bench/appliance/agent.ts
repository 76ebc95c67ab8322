import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { type InstanceView, netnsName } from '@astara/model/instance.ts';
import { waitFor } from '../../e2e/lib/wait.ts';
import { pss } from '../lib/memory.ts';

const program = new URL('../../packages/agent/bin/astara-agent.mjs', import.meta.url).pathname;

/** An answer of the agent or of an appliance of its. `ms`: from the first byte sent to the last one received. */
export interface Answer<T> {
  readonly body: T;
  readonly ms: number;
}

/** The agent as operators start it, with instances that nobody else knows of, on a host directory of its own. */
export class BenchAgent {
  readonly #dir = mkdtempSync(join(tmpdir(), 'astara-bench-'));
  readonly #instances: string[] = [];
  #child: ChildProcess | undefined;

  /** Resolves with the seconds until it served. */
  async start(): Promise<number> {
    const config = join(this.#dir, 'astara.conf');
    writeFileSync(config, `[DEFAULT]\nrun_dir = ${this.#dir}\nlog_level = warn\n`);
    const begun = performance.now();
    this.#child = spawn(process.execPath, [program, '--config-file', config], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const answers = () =>
      this.#call('agent.sock', 'GET', '/healthz').then(
        () => true,
        () => false,
      );
    await waitFor('the agent', answers, { interval: 2 });
    return (performance.now() - begun) / 1000;
  }

  /** Its instances and their daemons run on. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  /** An instance with interfaces of these names, plugged nowhere. */
  async instance(ifnames: readonly string[]): Promise<string> {
    const id = `bench-${randomUUID().slice(0, 8)}`;
    this.#instances.push(id);
    const attachments = ifnames.map((ifname) => ({
      port_id: randomUUID(),
      network_id: randomUUID(),
      mac_address: `fa:16:3e:${randomUUID()
        .slice(0, 6)
        .replace(/..(?=.)/g, '$&:')}`,
      mtu: 1500,
      ifname,
      plug: 'bridge',
    }));
    await this.#call('agent.sock', 'PUT', `/v1/instances/${id}`, {
      resource: { kind: 'router', id: randomUUID() },
      attachments,
    });
    return id;
  }

  /** Pushes a configuration as the orchestrator does. */
  async push(id: string, config: ApplianceConfig): Promise<Answer<{ steps: unknown }>> {
    return this.#call(join('instances', id, 'api.sock'), 'PUT', '/v2/config?check=false', config);
  }

  async remove(id: string): Promise<void> {
    await this.#call('agent.sock', 'DELETE', `/v1/instances/${id}`);
    this.#instances.splice(this.#instances.indexOf(id), 1);
  }

  async views(): Promise<InstanceView[]> {
    return (await this.#call<InstanceView[]>('agent.sock', 'GET', '/v1/instances')).body;
  }

  /** MiB: of the agent itself, and of everything that its instances run. */
  memory(): { readonly agent: number; readonly instances: number } {
    const inside = new Set(this.#instances.map((id) => `net:[${statSync(`/run/netns/${netnsName(id)}`).ino}]`));
    const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && inside.has(namespace(pid)));
    return { agent: pss([this.#child?.pid ?? -1]), instances: pss(pids.map(Number)) };
  }

  /** Everything that it made is gone afterwards. */
  async destroy(): Promise<void> {
    try {
      if (this.#child === undefined && this.#instances.length > 0) await this.start();
      for (const id of [...this.#instances]) await this.remove(id);
    } finally {
      await this.stop();
      rmSync(this.#dir, { recursive: true, force: true });
    }
  }

  #call<T>(socket: string, method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer<T>>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { 'content-type': 'application/json', prefer: 'return=minimal' };
    const begun = performance.now();
    const socketPath = join(this.#dir, socket);
    const outgoing = request({ socketPath, method, path, headers, agent: false }, async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const answer = Buffer.concat(chunks).toString();
      const ms = performance.now() - begun;
      if ((incoming.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${incoming.statusCode} ${answer}`));
      else resolve({ body: (answer === '' ? undefined : JSON.parse(answer)) as T, ms });
    });
    outgoing.on('error', reject);
    outgoing.end(text);
    return promise;
  }
}

function namespace(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return ''; // ended meanwhile
  }
}
