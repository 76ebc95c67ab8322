import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Ended, type ExecOptions, execute, run } from './exec.ts';
import { Flow } from './flow.ts';
import { Pinger, type PingOptions, type PingResult, parsePing, pingCommand } from './ping.ts';
import { waitFor } from './wait.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Something that listens inside a machine. */
export interface Server {
  stop(): void;
}

interface ShownAddress {
  readonly addr_info: readonly {
    family: string;
    local: string;
    prefixlen: number;
    scope: string;
    dynamic?: boolean;
    tentative?: boolean;
  }[];
}

/** A network namespace that behaves like a computer: pings, connects, serves. */
export class Machine {
  readonly netns: string;
  readonly #children = new Set<ChildProcess>();

  constructor(netns: string) {
    this.netns = netns;
  }

  /** Runs a program inside; rejects when it does not exit with 0. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<string> {
    return run(this.#inside(argv), options);
  }

  /** The same, for programs whose failure is an answer. */
  try(argv: readonly string[], options?: ExecOptions): Promise<Ended> {
    return execute(this.#inside(argv), options);
  }

  async ping(address: string, options: PingOptions = {}): Promise<PingResult> {
    const { count = 3, interval = 0.2 } = options;
    const command = pingCommand(address, { ...options, count });
    const { code, stdout, stderr } = await this.try(command, { timeout: (count * interval + 10) * 1000 });
    const result = parsePing(stdout);
    if (result.sent > 0) return result;
    // 2: it could not even send, as when there is no route.
    if (code === 2) return { sent: count, received: 0, lostMax: count };
    throw new Error(`${command.join(' ')} in ${this.netns}: ${stderr}`);
  }

  /** Resolves when `address` answers a ping from here; in milliseconds, how long that took. */
  async reaches(address: string, timeout = 30_000): Promise<number> {
    const began = performance.now();
    const answered = async () => (await this.ping(address, { count: 1 })).received === 1;
    await waitFor(`${address} to answer a ping from ${this.netns}`, answered, { timeout, interval: 20 });
    return performance.now() - began;
  }

  /** Pings until it is stopped. */
  startPing(address: string, options: Omit<PingOptions, 'count'> = {}): Pinger {
    return new Pinger(this.spawn(pingCommand(address, options)));
  }

  /** Rejects when there is no answer within `timeout` milliseconds (default 5 000). */
  async httpGet(url: string, headers: Record<string, string> = {}, timeout = 5_000): Promise<HttpAnswer> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const script = join(import.meta.dirname, 'inside/http-get.ts');
    return JSON.parse(await this.exec([process.execPath, script, url, String(timeout), ...lines]));
  }

  /** Answers each request with `{ peer, local, path }` in JSON: who asked, on which of our addresses. Both IP versions. */
  async serveHttp(port: number): Promise<Server> {
    const child = this.spawn([process.execPath, join(import.meta.dirname, 'inside/http-server.ts'), String(port)]);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve());
      child.once('close', () => reject(new Error(`the HTTP server of ${this.netns} did not start`)));
    });
    return { stop: () => child.kill('SIGKILL') };
  }

  /** Sends back what it gets, for {@link openFlow} of another machine. Both IP versions. */
  async serveEcho(port: number): Promise<Server> {
    const child = this.spawn(['socat', `TCP6-LISTEN:${port},ipv6only=0,fork,reuseaddr`, 'PIPE']);
    const listening = async () => (await this.exec(['ss', '-Hltn', `sport = :${port}`])) !== '';
    await waitFor(`an echo server on port ${port} of ${this.netns}`, listening, { interval: 20 });
    return { stop: () => child.kill('SIGKILL') };
  }

  /** Connects to an echo server and resolves when a first word has come back. */
  async openFlow(address: string, port: number): Promise<Flow> {
    const host = address.includes(':') ? `TCP6:[${address}]` : `TCP4:${address}`;
    const flow = new Flow(this.spawn(['socat', '-', `${host}:${port},connect-timeout=5`]));
    if (await flow.roundTrip()) return flow;
    flow.close();
    throw new Error(`no echo from ${address} port ${port} to ${this.netns}`);
  }

  /** Global addresses in CIDR form; for IPv6 only those that are ready to use. */
  async addresses(device: string, family: 4 | 6): Promise<string[]> {
    const shown: ShownAddress[] = JSON.parse(
      await this.exec(['ip', '-j', `-${family}`, 'address', 'show', 'dev', device]),
    );
    return shown
      .flatMap(({ addr_info = [] }) => addr_info)
      .filter(({ scope, tentative }) => scope === 'global' && !tentative)
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  }

  /** Starts a program inside that ends with the machine at the latest. */
  spawn(argv: readonly string[]): ChildProcess {
    const [program = '', ...args] = this.#inside(argv);
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  /** Ends what was started with {@link spawn} and its like. */
  endPrograms(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #inside(argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.netns, ...argv];
  }
}
