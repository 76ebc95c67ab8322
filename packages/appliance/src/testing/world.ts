import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel, Netns } from '@astara/kernel/contract.ts';
import { openKernel } from '@astara/kernel/open.ts';
import { signalProcess, until } from '../processes.ts';
import { NetnsHome } from './netns-home.ts';

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; never rejects. */
export function run(program: string, args: readonly string[], options: { input?: string; timeout?: number } = {}) {
  const { promise, resolve } = Promise.withResolvers<Result>();
  const child = execFile(program, args, { timeout: options.timeout ?? 10_000 }, (error, stdout, stderr) => {
    resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input ?? '');
  return promise;
}

let count = 0;

/**
 * A router's surroundings: its namespace, a bridge for each segment in a namespace of their own, and hosts that are
 * namespaces. Everything is named after the process, and gone after {@link destroy}.
 */
export class World {
  readonly kernel: Kernel;
  readonly netns: Netns;
  readonly home: NetnsHome;
  readonly stateFile: string;
  readonly #prefix: string;
  readonly #directory: string;
  readonly #namespaces: string[] = [];
  readonly #children: { kill: () => void }[] = [];

  private constructor(kernel: Kernel, netns: Netns, prefix: string, directory: string) {
    this.kernel = kernel;
    this.netns = netns;
    this.#prefix = prefix;
    this.#directory = directory;
    this.stateFile = join(directory, 'applied.json');
    this.home = new NetnsHome(`${prefix}r`, netns, directory);
  }

  static async create(): Promise<World> {
    count += 1;
    const prefix = `at-app-${process.pid}-${count}`;
    const kernel = await openKernel('auto');
    const directory = await mkdtemp(join(tmpdir(), `${prefix}-`));
    await chmod(directory, 0o755);
    await kernel.createNetns(`${prefix}r`);
    const world = new World(kernel, await kernel.open(`${prefix}r`), prefix, directory);
    world.#namespaces.push('r');
    await world.addNamespace('sw');
    return world;
  }

  name(namespace: string): string {
    return this.#prefix + namespace;
  }

  async addNamespace(namespace: string): Promise<void> {
    this.#namespaces.push(namespace);
    await this.kernel.createNetns(this.name(namespace));
  }

  /** An L2 segment with an interface of the router on it, down and without addresses as the agent leaves it. */
  async segment(bridge: string, ifname: string): Promise<void> {
    await this.ip([
      `link add ${bridge} netns ${this.name('sw')} type bridge mcast_snooping 0`,
      `-n ${this.name('sw')} link set ${bridge} up`,
    ]);
    await this.attach(bridge, ifname);
  }

  async attach(bridge: string, ifname: string): Promise<void> {
    await this.ip([
      `link add ${ifname} netns ${this.name('r')} type veth peer name ${ifname} netns ${this.name('sw')}`,
      `-n ${this.name('sw')} link set ${ifname} master ${bridge} up`,
    ]);
  }

  /** A machine on a segment, with `eth0` up; static addresses and a gateway when given. */
  async host(
    host: string,
    bridge: string,
    options: { mac?: string; addresses?: string[]; gateway?: string } = {},
  ): Promise<void> {
    const { mac, addresses = [], gateway } = options;
    await this.addNamespace(host);
    const namespace = this.name(host);
    await this.ip([
      `link add eth0 netns ${namespace} type veth peer name h-${host} netns ${this.name('sw')}`,
      ...(mac === undefined ? [] : [`-n ${namespace} link set eth0 address ${mac}`]),
      `-n ${this.name('sw')} link set h-${host} master ${bridge} up`,
      `-n ${namespace} link set eth0 up`,
      ...addresses.map(
        (address) => `-n ${namespace} addr add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`,
      ),
      ...(gateway === undefined ? [] : [`-n ${namespace} route add default via ${gateway}`]),
    ]);
  }

  async ip(commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const { status, stderr } = await run('ip', command.split(' '));
      if (status !== 0) throw new Error(`ip ${command}: ${stderr}`);
    }
  }

  /** Runs a program on a host. */
  exec(host: string, argv: readonly string[], options: { input?: string; timeout?: number } = {}): Promise<Result> {
    return run('ip', ['netns', 'exec', this.name(host), ...argv], options);
  }

  /** Whether one of a few pings is answered. */
  async pings(host: string, address: string): Promise<boolean> {
    return (await this.exec(host, ['ping', '-n', '-q', '-c', '1', '-W', '1', address])).status === 0;
  }

  /** The same, retried until `deadline` ms have passed. */
  async eventuallyPings(host: string, address: string, timeout = 5_000): Promise<boolean> {
    return until(() => this.pings(host, address), timeout);
  }

  /** A program that runs beside the test until it is killed or the world ends; its output is collected. */
  async background(host: string, argv: readonly string[]) {
    const child = spawn('ip', ['netns', 'exec', this.name(host), ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stdin.on('error', () => undefined);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const process = {
      output: () => output,
      write: (text: string) => child.stdin.write(text),
      exited,
      signal: (name: NodeJS.Signals) => child.kill(name),
      kill: () => child.kill('SIGKILL'),
    };
    this.#children.push(process);
    return process;
  }

  /** A TCP server that tells each client which address it sees. */
  async tellPeer(host: string, port: number): Promise<void> {
    await this.background(host, ['socat', `TCP4-LISTEN:${port},fork,reuseaddr`, 'SYSTEM:echo $SOCAT_PEERADDR']);
    await until(async () => (await this.exec(host, ['ss', '-Hltn', `sport = :${port}`])).stdout !== '', 5_000);
  }

  /** The address that the server on `address` sees; empty when there is no connection. */
  async seenAs(host: string, address: string, port: number, source?: string): Promise<string> {
    const target = `TCP4:${address}:${port},connect-timeout=2${source === undefined ? '' : `,bind=${source}`}`;
    return (await this.exec(host, ['socat', '-t2', '-T2', '-', target])).stdout.trim();
  }

  async destroy(): Promise<void> {
    for (const child of this.#children) child.kill();
    for (const { pid } of await this.home.processes()) signalProcess(pid, 'SIGKILL');
    this.netns.close();
    for (const namespace of this.#namespaces.reverse()) await this.kernel.deleteNetns(this.name(namespace));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
