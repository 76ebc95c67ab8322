import { constants } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import type { Home } from '../../home.ts';
import { giveDirectory, type Privileges } from '../../privileges.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import type { RunnerContext } from '../service.ts';
import { findIpsec, flushKernel } from './kernel.ts';
import type { CharonNode } from './nodes.ts';
import { type CharonPaths, type Ipsec, renderCharon, renderTimers } from './render.ts';
import { Vici } from './vici.ts';

/** Below the run directory. What is in it is root's but for {@link OWN}, in which charon writes. */
const DIRECTORY = 'charon';
const OWN = 'own';
/** Of the log, in an error. Bytes. */
const MAX_REASON = 1_000;

/** Policies, routes and the TUN device; ports 500 and 4500, which it gives up once it has them. */
const privileges: Privileges = { user: 'nobody', capabilities: ['net_admin', 'net_bind_service'] };

/**
 * The daemon. `charon-systemd` and not `charon`: that one writes a fixed /run/charon.pid, so that only one could run on a machine
 * without a /run of its own, and its package brings `starter`, which is of no use here.
 */
export class Charon {
  readonly #home: Home;
  readonly #daemon: Daemon;
  readonly #inside: CharonPaths;
  #ipsec: Ipsec | undefined;

  constructor(context: RunnerContext) {
    this.#home = context.home;
    this.#daemon = new Daemon({ ...context, program: 'charon-systemd', privileges });
    const inside = (...names: string[]) => join(context.home.runDirInside, DIRECTORY, ...names);
    this.#inside = { socket: inside(OWN, 'vici'), log: inside(OWN, 'start.log'), timers: inside('timers.conf') };
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  async adopt(): Promise<void> {
    await this.#daemon.adopt(() => true);
  }

  /** Whether it has read what it is told now. */
  async current(node: CharonNode): Promise<boolean> {
    if (!this.running) return false;
    const started = renderCharon(node, await this.ipsec(), this.#inside);
    return readIfPresent(this.#here('strongswan.conf')) === started && this.#timers() === renderTimers(node);
  }

  /** Starts it, or starts it anew when it has to, or lets it read its settings again. True when it knows no connections now. */
  async ensure(node: CharonNode): Promise<boolean> {
    const text = renderCharon(node, await this.ipsec(), this.#inside);
    const timers = renderTimers(node);
    if (this.running && readIfPresent(this.#here('strongswan.conf')) === text) {
      if (this.#timers() === timers) return false;
      writeAtomically(this.#here('timers.conf'), timers);
      const vici = await this.connect();
      await vici.request('reload-settings').finally(() => vici.close());
      return false;
    }
    await this.#start(text, timers);
    return true;
  }

  /** Who encrypts here. */
  async ipsec(): Promise<Ipsec> {
    this.#ipsec ??= await findIpsec(this.#home);
    return this.#ipsec;
  }

  connect(closed?: () => void): Promise<Vici> {
    return Vici.connect(this.#here(OWN, 'vici'), closed);
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
    await rm(this.#here(), { recursive: true, force: true });
  }

  reviveLater(): void {
    this.#daemon.reviveLater();
  }

  release(): void {
    this.#daemon.release();
  }

  async #start(text: string, timers: string): Promise<void> {
    // Written when the old one is gone: what lies here is what the running one has read.
    await this.#daemon.stop();
    await mkdir(this.#here(), { recursive: true, mode: 0o755 });
    await rm(this.#here(OWN), { recursive: true, force: true });
    await giveDirectory(this.#here(OWN), privileges);
    writeAtomically(this.#here('timers.conf'), timers);
    writeAtomically(this.#here('strongswan.conf'), text);
    if ((await this.ipsec()) === 'kernel') await flushKernel(this.#home);
    const conf = join(this.#home.runDirInside, DIRECTORY, 'strongswan.conf');
    try {
      await this.#daemon.start(['env', `STRONGSWAN_CONF=${conf}`, 'charon-systemd'], () => this.#answers());
    } catch (cause) {
      const reason = await this.#reason();
      if (reason !== undefined) {
        throw errors.make('APPLIANCE_DAEMON_FAILED', { daemon: 'charon-systemd', reason }, { cause });
      }
      await this.#mustHave('charon-systemd', cause);
      throw cause;
    }
    await this.#mustEncrypt();
  }

  /** Throws MACHINE_PROGRAM_MISSING. */
  async #mustHave(program: string, cause: unknown): Promise<void> {
    try {
      await this.#home.run(['sh', '-c', 'command -v "$1"', 'sh', program]);
    } catch {
      throw errors.make('MACHINE_PROGRAM_MISSING', { program, package: program }, { cause });
    }
  }

  /** A plugin that is not there is no reason for charon not to start. */
  async #mustEncrypt(): Promise<void> {
    if ((await this.ipsec()) === 'kernel') return;
    const vici = await this.connect();
    const { plugins } = await vici.request('stats').finally(() => vici.close());
    if (Array.isArray(plugins) && plugins.includes('kernel-libipsec')) return;
    await this.#daemon.stop();
    const program = 'kernel-libipsec, which charon needs because this kernel has no ESP,';
    throw errors.make('MACHINE_PROGRAM_MISSING', { program, package: 'libcharon-extra-plugins' });
  }

  async #answers(): Promise<boolean> {
    try {
      const vici = await this.connect();
      await vici.request('version').finally(() => vici.close());
      return true;
    } catch {
      return false; // not yet
    }
  }

  /** The end of what it has logged. The file is charon's: a link in its place is not followed. */
  async #reason(): Promise<string | undefined> {
    try {
      const file = await open(this.#here(OWN, 'start.log'), constants.O_RDONLY | constants.O_NOFOLLOW);
      const text = await file.readFile('utf8').finally(() => file.close());
      return text.trim().slice(-MAX_REASON) || undefined;
    } catch {
      return undefined; // it did not come so far
    }
  }

  #timers(): string | undefined {
    return readIfPresent(this.#here('timers.conf'));
  }

  #here(...names: string[]): string {
    return join(this.#home.runDir, DIRECTORY, ...names);
  }
}
