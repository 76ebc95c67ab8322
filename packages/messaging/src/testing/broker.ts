import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeCertificates } from './certificates.ts';

const run = promisify(execFile);
const bin = '/usr/lib/rabbitmq/bin';
export const user = 'at-messaging';
/** Has what must be percent-encoded in a URL, but no slash, which kombu (the oslo peer) does not get through. */
export const password = 'p@ss:w?rd%';

/**
 * A real RabbitMQ of our own: own node name, ports and epmd, loopback only, state in a temporary folder.
 * It runs as the user of the package, as no process of RabbitMQ should be root.
 */
export class TestBroker {
  readonly port: number;
  /** Where TLS is spoken, and the files for it; with `tls` only. */
  readonly tls: { readonly port: number; readonly ca: string; readonly cert: string; readonly key: string } | undefined;
  readonly #dir: string;
  readonly #env: Record<string, string>;
  #epmd: ChildProcess | undefined;
  #server: ChildProcess | undefined;

  static async start(options: { tls?: boolean } = {}): Promise<TestBroker> {
    const broker = new TestBroker(await freePorts(4), options.tls ?? false);
    try {
      await broker.boot();
      return broker;
    } catch (error) {
      await broker.remove();
      throw error;
    }
  }

  private constructor(ports: readonly number[], tls: boolean) {
    const [port = 0, epmdPort = 0, distPort = 0, tlsPort = 0] = ports;
    this.port = port;
    this.#dir = mkdtempSync(join(tmpdir(), 'at-messaging-'));
    const at = (name: string) => join(this.#dir, name);
    chmodSync(this.#dir, 0o755);
    const files = tls ? makeCertificates(this.#dir) : undefined;
    this.tls = files ? { port: tlsPort, ...files } : undefined;
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      `default_user = ${user}`,
      `default_pass = ${password}`,
      ...(files
        ? [
            `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
            // A host that the certificate does not name.
            `listeners.ssl.2 = 127.0.0.2:${tlsPort}`,
            `ssl_options.cacertfile = ${files.ca}`,
            `ssl_options.certfile = ${files.cert}`,
            `ssl_options.keyfile = ${files.key}`,
          ]
        : []),
    ];
    writeFileSync(at('rabbitmq.conf'), `${lines.join('\n')}\n`);
    writeFileSync(at('enabled_plugins'), '[].\n');
    for (const folder of ['state', 'log', 'home']) {
      mkdirSync(at(folder));
      chownSync(at(folder), account('uid'), account('gid'));
    }
    this.#env = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
      HOME: at('home'),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: String(epmdPort),
      RABBITMQ_DIST_PORT: String(distPort),
      RABBITMQ_NODENAME: `at-messaging-${port}@localhost`,
      RABBITMQ_MNESIA_BASE: at('state'),
      RABBITMQ_LOG_BASE: at('log'),
      RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
        '+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    };
  }

  /** `transport_url` with the password percent-encoded. */
  get url(): string {
    return `rabbit://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/`;
  }

  /** Starts it, on the state that `stop` or `kill` left. */
  async boot(): Promise<void> {
    this.#epmd ??= this.#spawn('/usr/bin/epmd', ['-address', '127.0.0.1', '-port', this.#env.ERL_EPMD_PORT ?? '']);
    const server = this.#spawn(`${bin}/rabbitmq-server`, []);
    this.#server = server;
    const deadline = performance.now() + 60_000;
    while (!(await answers(this.port))) {
      if (server.exitCode !== null || performance.now() > deadline) {
        throw new Error(`RabbitMQ did not start:\n${readFileSync(join(this.#dir, 'out.log'), 'utf8')}`);
      }
      await sleep(50);
    }
  }

  /** In good order: connections are told. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As a power cut. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.boot();
  }

  /** It neither speaks nor hangs up, as a host that lost its power; `resume` wakes it. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  async closeConnections(): Promise<void> {
    await this.ctl('close_all_connections', 'closed by the test');
  }

  /** Runs rabbitmqctl (about 1.5 s) and returns what it printed. */
  async ctl(...args: string[]): Promise<string> {
    const { stdout } = await run('setpriv', [...asRabbit(), `${bin}/rabbitmqctl`, '--quiet', ...args], {
      cwd: this.#dir, // one that its user may read
      env: this.#env,
    });
    return stdout;
  }

  /** Ends all processes and removes the folder. */
  async remove(): Promise<void> {
    await this.#end('SIGKILL');
    this.#epmd?.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    kill(server.pid, signal);
    await ended;
    while (await answers(this.port)) await sleep(20);
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#server?.pid !== undefined) kill(this.#server.pid, signal);
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#dir, 'out.log'), 'a');
    const child = spawn('setpriv', [...asRabbit(), command, ...args], {
      env: this.#env,
      detached: true,
      cwd: this.#dir,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    // Also when the test process ends before its clean-up: these are groups of their own.
    const onExit = () => child.pid !== undefined && kill(child.pid, 'SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.removeListener('exit', onExit));
    return child;
  }
}

/** The whole group: rabbitmq-server is a shell around Erlang. */
function kill(leader: number, signal: NodeJS.Signals): void {
  process.kill(-leader, signal);
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address && typeof address === 'object') ports.push(address.port);
  }
  for (const server of servers) server.close();
  return ports;
}

/** Speaks AMQP: the port is open some time before the broker listens to what is said. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\x00\x00\x09\x01'));
    socket.setTimeout(2000, () => socket.destroy());
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

function asRabbit(): string[] {
  return [`--reuid=${account('uid')}`, `--regid=${account('gid')}`, '--clear-groups'];
}

function account(what: 'uid' | 'gid'): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('rabbitmq:'));
  if (!line) throw new Error('rabbitmq-server is not installed');
  return Number(line.split(':')[what === 'uid' ? 2 : 3]);
}
