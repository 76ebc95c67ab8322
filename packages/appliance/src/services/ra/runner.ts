import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import type { Home } from '../../home.ts';
import { writeAtomically } from '../../state-file.ts';
import { type Health, type Known, type Runner, type RunnerContext, unknown, type Whole } from '../service.ts';
import { birdCommand } from './control.ts';

/** BIRD's configuration; undefined when nothing is advertised. */
export type RaState = string | undefined;

const CONF = 'bird.conf';
const SOCKET = 'bird.ctl';

/** One BIRD for all networks of the appliance. A change is made through its control socket, without a restart. */
export class RaRunner implements Runner<RaState, Whole<RaState>> {
  readonly #home: Home;
  readonly #daemon: Daemon;

  constructor(context: RunnerContext) {
    this.#home = context.home;
    this.#daemon = new Daemon({ ...context, program: 'bird' });
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  async adopt(state: RaState): Promise<void> {
    await this.#daemon.adopt(() => true);
    if (state === undefined) await this.#ensure(undefined);
  }

  async observe(): Promise<Known<RaState>> {
    return unknown;
  }

  execute({ to }: Whole<RaState>): Promise<void> {
    return this.#ensure(to);
  }

  async health(state: RaState): Promise<Health> {
    return { wanted: state !== undefined, running: this.running };
  }

  async #ensure(state: RaState): Promise<void> {
    if (state === undefined) {
      await this.#daemon.stop();
      await rm(this.#here(CONF), { force: true });
      await rm(this.#here(SOCKET), { force: true });
      return;
    }
    writeAtomically(this.#here(CONF), state);
    if (this.running) await this.#reconfigure();
    else await this.#start();
  }

  async revive(state: RaState): Promise<void> {
    if (state === undefined || this.running) return;
    try {
      await this.#start();
    } catch (error) {
      this.#daemon.reviveLater();
      throw error;
    }
  }

  async release(): Promise<void> {
    this.#daemon.release();
  }

  async #reconfigure(): Promise<void> {
    const { code, text } = await birdCommand(this.#here(SOCKET), 'configure');
    // 8000 and above: BIRD keeps what it had.
    if (code >= 8000) throw errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'bird', reason: text });
  }

  async #start(): Promise<void> {
    await rm(this.#here(SOCKET), { force: true });
    const inside = (name: string) => join(this.#home.runDirInside, name);
    const argv = ['bird', '-f', '-c', inside(CONF), '-s', inside(SOCKET)];
    try {
      await this.#daemon.start(argv, () => this.#answers());
    } catch (cause) {
      throw (await this.#refusal(inside(CONF))) ?? cause;
    }
  }

  async #answers(): Promise<boolean> {
    try {
      return (await birdCommand(this.#here(SOCKET), 'show status')).code < 8000;
    } catch {
      return false; // not yet
    }
  }

  async #refusal(path: string): Promise<Error | undefined> {
    try {
      await this.#home.run(['bird', '-p', '-c', path]);
      return undefined;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'bird', reason }, { cause });
    }
  }

  #here(name: string): string {
    return join(this.#home.runDir, name);
  }
}
