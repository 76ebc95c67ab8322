import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTime, until } from '../processes.ts';
import { birdCommand } from '../services/routing/control.ts';
import type { World } from './world.ts';

/** Somebody else's router: a BIRD on a host of the world, which puts what it learns into that host's kernel. */
export class BirdPeer {
  readonly #world: World;
  readonly #host: string;
  readonly #directory: string;
  /** Undefined: not started. */
  #pid: number | undefined;

  private constructor(world: World, host: string, directory: string) {
    this.#world = world;
    this.#host = host;
    this.#directory = directory;
  }

  static async start(world: World, host: string, routerId: string, conf: string): Promise<BirdPeer> {
    const peer = new BirdPeer(world, host, await mkdtemp(join(tmpdir(), `${world.name(host)}-bird-`)));
    await peer.#write(routerId, conf);
    const args = ['netns', 'exec', world.name(host), 'bird', '-f', '-c', peer.#path('conf'), '-s', peer.#path('ctl')];
    const child = spawn('ip', args, { stdio: 'ignore' });
    await once(child, 'spawn');
    peer.#pid = child.pid;
    const ready = await until(async () => {
      try {
        return (await peer.command('show status')).code < 8000;
      } catch {
        return false; // not yet
      }
    }, 5_000);
    if (ready) return peer;
    await peer.stop();
    throw new Error(`the peer on ${host} did not start`);
  }

  async reconfigure(routerId: string, conf: string): Promise<void> {
    await this.#write(routerId, conf);
    const { code, lines } = await this.command('configure');
    if (code >= 8000) throw new Error(lines.join('\n'));
  }

  command(text: string) {
    return birdCommand(this.#path('ctl'), text);
  }

  /** Seconds since the epoch at which the session became what it is; undefined unless it is established. */
  async establishedSince(protocol: string): Promise<number | undefined> {
    const { lines } = await this.command('show protocols');
    const match = lines.map((line) => new RegExp(`^${protocol} +BGP +\\S+ +up +(\\d+\\.\\d+) +Established`).exec(line));
    const since = match.find((one) => one !== null)?.[1];
    return since === undefined ? undefined : Number(since);
  }

  /** A route of the host's kernel, as `ip route` writes it; empty when there is none. */
  async route(prefix: string): Promise<string> {
    const family = prefix.includes(':') ? '-6' : '-4';
    return (await this.#world.exec(this.#host, ['ip', family, 'route', 'show', prefix])).stdout.trim();
  }

  signal(name: NodeJS.Signals): void {
    if (this.#pid === undefined) throw new Error(`there is no peer on ${this.#host}`);
    process.kill(this.#pid, name);
  }

  async stop(): Promise<void> {
    const pid = this.#pid;
    if (pid !== undefined && startTime(pid) !== undefined) {
      const start = startTime(pid);
      this.signal('SIGKILL');
      await until(() => startTime(pid) !== start, 2_000);
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  #write(routerId: string, conf: string): Promise<void> {
    const kernel = (version: number) => `protocol kernel { ipv${version} { export where source = RTS_BGP; }; }\n`;
    const preamble = `router id ${routerId};\ntimeformat protocol "%s.%3f";\nprotocol device { scan time 5; }\n`;
    return writeFile(this.#path('conf'), `${preamble}${kernel(4)}${kernel(6)}${conf}`);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
