import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../../daemons.ts';
import { giveDirectory, type Privileges } from '../../privileges.ts';
import { writeAtomically } from '../../state-file.ts';
import type { RunnerContext } from '../service.ts';
import { conntrackdConfName, HA_USER } from './render.ts';
import { DIRECTORY, haPaths } from './state.ts';

/** Netlink to connection tracking, and to bind to the interface. */
const privileges: Privileges = { user: HA_USER, capabilities: ['net_admin'] };

/** Tells the other members' kernels of this one's connections, and this one's of theirs. */
export class Conntrackd {
  readonly #context: RunnerContext;
  readonly #daemon: Daemon;
  readonly #directory: string;

  constructor(context: RunnerContext) {
    this.#context = context;
    this.#daemon = new Daemon({ ...context, program: 'conntrackd', privileges });
    this.#directory = join(context.home.runDir, DIRECTORY);
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  async adopt(text: string | undefined): Promise<void> {
    await this.#daemon.adopt((argv) => text !== undefined && uses(argv, text));
    if (text === undefined) await this.stop();
  }

  /** Whether this is the configuration that it runs with; without one, whether it does not run. */
  uses(text: string | undefined): boolean {
    const running = this.#daemon.running;
    return text === undefined ? running === undefined : running !== undefined && uses(running.argv, text);
  }

  async ensure(text: string | undefined): Promise<void> {
    if (this.uses(text)) return;
    if (text === undefined) return this.stop();
    await this.#start(text);
  }

  async revive(text: string | undefined): Promise<void> {
    if (text === undefined || this.running) return;
    try {
      await this.#start(text);
    } catch (error) {
      this.#daemon.reviveLater();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
  }

  release(): void {
    this.#daemon.release();
  }

  /** What the others know comes by itself (StartupResync); what they have missed meanwhile is sent. */
  async #start(text: string): Promise<void> {
    const { home } = this.#context;
    const here = haPaths(home.runDir);
    await this.#daemon.stop();
    await giveDirectory(join(this.#directory, 'conntrackd'), privileges);
    await Promise.all([rm(here.lock, { force: true }), rm(here.control, { force: true })]);
    // Segments of a connection that was taken over may lie outside the window that this kernel knows of.
    await home.netns.sysctl({ 'net/netfilter/nf_conntrack_tcp_be_liberal': '1' });
    const name = conntrackdConfName(text);
    writeAtomically(join(this.#directory, name), text);
    const conf = join(home.runDirInside, DIRECTORY, name);
    const sent = () =>
      home.run(['conntrackd', '-C', conf, '-B']).then(
        () => true,
        () => false, // it does not listen yet
      );
    await this.#daemon.start(['conntrackd', '-C', conf], async () => existsSync(here.control) && (await sent()));
    const old = (await readdir(this.#directory)).filter((entry) => entry.startsWith('conntrackd-') && entry !== name);
    await Promise.all(old.map((entry) => rm(join(this.#directory, entry), { force: true })));
  }
}

function uses(argv: readonly string[], text: string): boolean {
  const name = conntrackdConfName(text);
  return argv.some((argument) => argument.endsWith(`/${name}`));
}
