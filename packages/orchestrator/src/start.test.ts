import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@astara/messaging/testing/broker.ts';
import type { InstanceView } from '@astara/model/instance.ts';
import { FakeCloud } from '@astara/openstack/testing/fake-cloud.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from './testing/until.ts';

const program = join(import.meta.dirname, '..', 'bin', 'astara-orchestrator.mjs');
const compileCache = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'astara');
const DEADLINE = 20_000;

/** An agent that has instances which nobody wants, counts how often it is asked for them, and removes none until it is told to. */
class StuckAgent {
  lists = 0;
  #stuck = true;
  readonly removing = new Set<ServerResponse>();
  readonly #server: Server;

  constructor(socket: string) {
    const instances = ['a', 'b', 'c', 'd', 'e'].map(leftover);
    this.#server = createServer((request, response) => {
      if (request.method === 'GET') {
        this.lists++;
        response.end(JSON.stringify(instances));
      } else if (!this.#stuck) {
        response.writeHead(204).end();
      } else {
        this.removing.add(response);
        response.on('close', () => this.removing.delete(response));
      }
    }).listen(socket);
  }

  release(): void {
    this.#stuck = false;
    for (const response of this.removing) response.writeHead(204).end();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function leftover(id: string): InstanceView {
  return {
    id,
    resource: { kind: 'router', id },
    state: 'running',
    created_at: new Date(0).toISOString(),
    attachments: [],
    appliance_socket: '/nowhere',
    applied: null,
    services: [],
  };
}

let dir: string;
let agent: StuckAgent;
let cloud: FakeCloud;
let child: ChildProcess | undefined;
let stdout = '';

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'at-orchestrator-'));
  agent = new StuckAgent(join(dir, 'agent.sock'));
  cloud = await FakeCloud.start();
  stdout = '';
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = undefined;
  await agent.close();
  await cloud[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const file = () => join(dir, 'astara.conf');

/** Neither agent of Neutron is played, so that no broker is needed and every instance is one too many. */
function configure(text: string): void {
  const lines = [
    '[DEFAULT]',
    `run_dir = ${dir}`,
    'transport_url = rabbit://nobody:s3cret@127.0.0.1:1/',
    `[keystone]\nauth_url = ${cloud.url}/identity/v3`,
    'username = neutron\nproject_name = service',
    '[notifications]\nenabled = no\n[l3]\nenabled = no\n[dhcp]\nenabled = no\n[metadata]\nenabled = no',
  ];
  writeFileSync(file(), `${lines.join('\n')}\n${text}`);
}

function start(environment: Readonly<Record<string, string>>, ...args: string[]): ChildProcess {
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...environment };
  const started = spawn(process.execPath, [program, '--config-file', file(), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child = started;
  return started;
}

/** What the program said of the configurations that it has read again. */
function reloads(): { changed?: string[]; needsRestart?: string[]; err?: object; level: string }[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.filter((line) => /read again|stays in force/.test(line)).map((line) => JSON.parse(line));
}

async function reload(text: string) {
  const seen = reloads().length;
  configure(text);
  child?.kill('SIGHUP');
  await until('read again', () => reloads().length > seen, DEADLINE);
  return reloads().at(-1);
}

test('SIGHUP: the orchestrator goes on with other workers and another health interval', async () => {
  configure('[api]\nbind_port = 1\n[queue]\nworkers = 1\n[health]\ninterval = 3600\n');
  // The port and the password come from the environment, where the file has a wrong one and none.
  const [port] = await freePorts(1);
  const started = start({ OS_API__BIND_PORT: String(port), OS_KEYSTONE__PASSWORD: 'right' });
  await until('an instance is being removed', () => agent.removing.size === 1, DEADLINE);
  const before = agent.lists;

  const first = await reload('[api]\nbind_port = 2\nbind_host = ::1\n[queue]\nworkers = 3\n[health]\ninterval = 0.5\n');
  expect(first).toMatchObject({
    changed: ['[queue] workers', '[health] interval'],
    needsRestart: ['[api] bind_host'],
  });
  await until('three are being removed', () => agent.removing.size === 3, DEADLINE);
  await until('listed again and again', () => agent.lists >= before + 4, DEADLINE);
  expect(agent.removing.size).toBe(3);

  expect(await reload('[queue]\nworkers = 0\n')).toMatchObject({ level: 'error' });
  const after = agent.lists;
  await until('the old configuration stays in force', () => agent.lists >= after + 2, DEADLINE);

  const last = await reload('[queue]\nworkers = 3\nbackoff_max = 20\n[health]\ninterval = 0.5\n');
  expect(last).toMatchObject({ changed: ['[queue] backoff_max'], needsRestart: [] });
  expect(stdout).not.toMatch(/s3cret|right/);
  agent.release();
  started.kill('SIGTERM');
  expect(await once(started, 'exit')).toEqual([0, null]);
});

test('--check-config reads the environment too', async () => {
  configure('');
  const checked = start({ OS_KEYSTONE__PASSWORD: 'right', OS_QUEUE__WORKERS: '8' }, '--check-config');
  expect(await once(checked, 'close')).toEqual([0, null]);
  expect(stdout).toBe(`the configuration is valid (${file()}, OS_KEYSTONE__PASSWORD, OS_QUEUE__WORKERS)\n`);
});
