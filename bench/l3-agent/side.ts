import { readdirSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { netnsName } from '@astara/model/instance.ts';
import { execute, run } from '../../e2e/lib/exec.ts';
import * as lab from '../../e2e/lib/lab.ts';
import { commandLine, processes, session } from '../lib/memory.ts';

/** One of the two that are compared: how it is started, looked at and taken apart. */
export interface Side {
  readonly name: string;
  up(): Promise<void>;
  netns(routerId: string): string;
  /** Ends what serves routers; their data plane stays. */
  stop(): Promise<void>;
  /** Starts it; `ready` rejects if it does not come up. The clock of a measurement starts before this is called. */
  start(): Promise<void>;
  /** While stopped: nothing of any router is left on the host. */
  wipe(): Promise<void>;
  /** Of `routers`, those brought into sync since the last start. */
  synced(routers: readonly string[]): Promise<ReadonlySet<string>>;
  /** Everything that serves routers, their DHCP and their metadata. */
  pids(): Promise<number[]>;
}

async function netnsPids(pattern: RegExp): Promise<number[]> {
  const names = readdirSync('/run/netns').filter((name) => pattern.test(name));
  const pids = await Promise.all(names.map(async (name) => (await run(['ip', 'netns', 'pids', name])).split('\n')));
  return pids
    .flat()
    .filter((pid) => pid !== '')
    .map(Number);
}

async function deleteNetns(pattern: RegExp): Promise<void> {
  for (const pid of await netnsPids(pattern)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // its parent took it along
    }
  }
  for (const name of readdirSync('/run/netns').filter((entry) => pattern.test(entry)))
    await execute(['ip', 'netns', 'delete', name]);
}

/** neutron-l3-agent (with neutron-dhcp-agent and neutron-metadata-agent beside it). */
export class Stock implements Side {
  readonly name: string;
  readonly #garp: 'real' | 'instant';
  #logOffset = 0;

  /** `instant`: its gratuitous ARPs cost nothing, which is the best it can be on a machine with few cores. */
  constructor(garp: 'real' | 'instant') {
    this.#garp = garp;
    this.name = garp === 'real' ? 'stock as shipped' : 'stock at its best';
  }

  async up(): Promise<void> {
    await lab.up('stock');
    await lab.setGarp(this.#garp);
  }

  netns(routerId: string): string {
    return `qrouter-${routerId}`;
  }

  async stop(): Promise<void> {
    await lab.stop('l3');
    this.#logOffset = await size(lab.logOf('l3'));
  }

  async start(): Promise<void> {
    await lab.start('l3');
  }

  async wipe(): Promise<void> {
    await deleteNetns(/^qrouter-/);
  }

  async synced(routers: readonly string[]): Promise<ReadonlySet<string>> {
    const text = await readFrom(lab.logOf('l3'), this.#logOffset);
    const done = new Set(Array.from(text.matchAll(/Finished a router update for ([0-9a-f-]{36})/g), ([, id]) => id));
    return new Set(routers.filter((id) => done.has(id)));
  }

  async pids(): Promise<number[]> {
    const agents = (['l3', 'dhcp', 'metadata'] as const).flatMap((service) => session(lab.pidOf(service)));
    // haproxy and dnsmasq daemonise: they are known by what they serve
    const helpers = processes().filter((pid) =>
      /haproxy|dnsmasq|radvd|keepalived|neutron-keepalived/.test(commandLine(pid).split(' ')[0] ?? ''),
    );
    return [...agents, ...helpers, ...(await netnsPids(/^q(router|dhcp)-/))];
  }
}

interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly phase: string;
}

export class Astara implements Side {
  readonly name = 'astara';

  async up(): Promise<void> {
    await lab.up('astara');
  }

  netns(routerId: string): string {
    return netnsName(routerId);
  }

  async stop(): Promise<void> {
    await Promise.all([lab.stop('astara-orchestrator'), lab.stop('astara-agent')]);
  }

  async start(): Promise<void> {
    await Promise.all([lab.start('astara-agent'), lab.start('astara-orchestrator')]);
  }

  async wipe(): Promise<void> {
    await deleteNetns(/^astara-/);
    await rm('/run/astara', { recursive: true, force: true });
  }

  async synced(routers: readonly string[]): Promise<ReadonlySet<string>> {
    const wanted = new Set(routers);
    try {
      const answer = await fetch('http://127.0.0.1:44250/v1/resources');
      const { resources } = (await answer.json()) as { resources: Resource[] };
      return new Set(resources.filter(({ id, phase }) => wanted.has(id) && phase === 'CONFIGURED').map(({ id }) => id));
    } catch {
      return new Set();
    }
  }

  async pids(): Promise<number[]> {
    return [lab.pidOf('astara-agent'), lab.pidOf('astara-orchestrator'), ...(await netnsPids(/^astara-/))];
  }
}

async function size(file: string): Promise<number> {
  const handle = await open(file, 'a+');
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function readFrom(file: string, offset: number): Promise<string> {
  const handle = await open(file);
  try {
    const length = Math.max(0, (await handle.stat()).size - offset);
    const buffer = Buffer.alloc(length);
    await handle.read(buffer, 0, length, offset);
    return buffer.toString();
  } finally {
    await handle.close();
  }
}
