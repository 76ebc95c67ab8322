import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../processes.ts';
import type { World } from '../../testing/world.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'astara-appliance.mjs');
const sandbox = join(import.meta.dirname, 'sandbox.sh');
const compileCache = join(import.meta.dirname, '..', '..', '..', '..', '..', 'node_modules', '.cache', 'astara');

/** `astara-appliance` as an operator starts it: its machine has the network of a world's router, and a name and files of its own. */
export class MachineProcess {
  readonly #world: World;
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  /** `options`: lines of `[appliance]`. */
  constructor(world: World, directory: string, options: readonly string[] = []) {
    this.#world = world;
    const file = join(directory, 'appliance.conf');
    const own = [`run_dir = ${directory}/run`, `state_dir = ${directory}/state`];
    writeFileSync(file, ['[appliance]', ...own, ...options, ''].join('\n'));
    const apart = ['--mount', '--uts', 'sh', sandbox, directory];
    const inside = ['ip', 'netns', 'exec', world.name('r'), process.execPath, program, '--config-file', file];
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
    this.child = spawn('unshare', [...apart, ...inside], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async serving(): Promise<this> {
    const ended = () => this.child.exitCode !== null || this.child.signalCode !== null;
    await until(() => ended() || this.stdout.includes('appliance serves'), 20_000);
    if (ended() || !this.stdout.includes('appliance serves'))
      throw new Error(`it does not serve: ${this.stderr}${this.stdout}`);
    return this;
  }

  /** Its exit code; null when a signal has ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill(signal);
      await exited;
    }
    return this.child.exitCode;
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** curl on a host of the world, or on the machine (`r`). Its output ends with `|` and the status. */
  async curl(host: string, ...args: string[]): Promise<string> {
    const { stdout, stderr, status } = await this.#world.exec(host, [
      'curl',
      '-sS',
      '-m',
      '5',
      '-w',
      '|%{http_code}',
      ...args,
    ]);
    return status === 0 ? stdout : `failed: ${stderr.trim()}`;
  }
}
