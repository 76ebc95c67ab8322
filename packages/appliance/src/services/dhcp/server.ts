import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digest } from '@astara/model/digest.ts';
import { Daemon } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import type { Home, Process } from '../../home.ts';
import { giveDirectory, type Privileges } from '../../privileges.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import type { Known, RunnerContext } from '../service.ts';
import { raiseInotifyLimit } from './inotify.ts';
import { Messenger } from './messenger.ts';
import { type ServerFiles, text } from './render.ts';
import { difference, type Role, roleDirectory, serverPaths } from './state.ts';

/** Files with lines that came since, at most: then all are gathered in one. */
const MAX_SINCE = 256;

const privileges: Readonly<Record<Role, Privileges>> = {
  dns: { user: 'dnsmasq', capabilities: ['net_bind_service'] },
  // For the ARP entry of a client that has no address yet, and ICMPv6 to find the MAC of one.
  dhcp: { user: 'dnsmasq', capabilities: ['net_bind_service', 'net_admin', 'net_raw'] },
};

/**
 * One dnsmasq with one task on one interface, and the files it reads. What comes is a file of its own in a directory that
 * dnsmasq watches, and costs as much as it is large. What goes or changes means that all is written anew and read again (SIGHUP).
 * Another `conf` needs a restart, some 10 ms.
 */
export class DnsmasqServer {
  readonly #home: Home;
  readonly #log: RunnerContext['log'];
  readonly #daemon: Daemon;
  readonly #role: Role;
  readonly #here: string;
  readonly #inside: string;
  readonly #messenger: Messenger;

  constructor(context: RunnerContext, ifname: string, role: Role) {
    this.#home = context.home;
    this.#log = context.log;
    this.#role = role;
    this.#here = roleDirectory(context.home.runDir, ifname, role);
    this.#inside = roleDirectory(context.home.runDirInside, ifname, role);
    this.#daemon = new Daemon({
      ...context,
      program: 'dnsmasq',
      privileges: privileges[role],
      mine: (argv) => this.owns(argv),
    });
    this.#messenger = new Messenger({
      log: context.log,
      pid: () => this.pid,
      append: (lines) => this.#append(lines),
      reread: () => this.#daemon.signal('SIGHUP'),
    });
  }

  get pid(): number | undefined {
    return this.#daemon.running?.pid;
  }

  /** As this process sees it. */
  get leases(): string {
    return serverPaths(this.#here).leases;
  }

  get user(): Privileges {
    return privileges[this.#role];
  }

  /** Whether these are the arguments of a dnsmasq with this task, whoever started it. */
  owns(argv: readonly string[]): boolean {
    return argv.some((argument) => argument.startsWith(`--conf-file=${this.#inside}/`));
  }

  adopt(processes: readonly Process[]): Promise<void> {
    return this.#daemon.adopt(() => true, processes);
  }

  /** Whether what runs has read exactly this. `index`: the interface's. */
  has(files: ServerFiles, index: number): boolean {
    const found = this.#found();
    if (!this.#runs(files, index) || found.options !== files.options) return false;
    const { added, removed } = difference(found.lines, files.lines);
    return added.length === 0 && removed.length === 0;
  }

  /** `restart`: also when it could be told without; `prepare` is called while nothing runs. */
  async ensure(
    from: Known<ServerFiles | undefined>,
    to: ServerFiles,
    index: number,
    restart: { readonly prepare: () => void } | undefined,
  ): Promise<void> {
    const before = from.unknown ? this.#found() : (from.value ?? { lines: [], options: '' });
    const { added, removed } = difference(before.lines, to.lines);
    if (restart !== undefined || !this.#runs(to, index)) {
      this.#writeAll(to);
      await this.#start(to, index, restart?.prepare);
    } else if (removed.length > 0 || before.options !== to.options || this.#isFull()) {
      this.#writeAll(to);
      this.#messenger.reread();
    } else this.#messenger.append(added);
  }

  /** Starts it again after it has ended by itself. */
  async revive(files: ServerFiles, index: number): Promise<void> {
    if (this.#daemon.running !== undefined) return;
    try {
      await this.#start(files, index);
    } catch (error) {
      this.#daemon.reviveLater();
      throw error;
    }
  }

  async remove(): Promise<void> {
    this.#messenger.forget();
    await this.#daemon.stop();
    await rm(this.#here, { recursive: true, force: true });
  }

  release(): void {
    this.#messenger.flush();
    this.#daemon.release();
  }

  #runs(files: ServerFiles, index: number): boolean {
    const conf = confName(files, index);
    return this.#daemon.running?.argv.some((argument) => argument.endsWith(`/${conf}`)) ?? false;
  }

  /** What the files say that dnsmasq has read, or is about to. */
  #found(): { lines: readonly string[]; options: string } {
    const { base, since, options } = serverPaths(this.#here);
    const files = [base, ...names(since).map((name) => join(since, name))];
    const lines = files.flatMap((file) => (readIfPresent(file) ?? '').split('\n'));
    lines.push(...this.#messenger.waiting);
    return { lines: lines.filter((line) => line !== ''), options: readIfPresent(options) ?? '' };
  }

  /** What is in force as a whole when dnsmasq reads it next; until then it may notice parts. */
  #writeAll(files: ServerFiles): void {
    const { base, since, options } = serverPaths(this.#here);
    mkdirSync(since, { recursive: true, mode: 0o755 });
    writeAtomically(options, files.options);
    writeAtomically(base, text(files.lines));
    for (const name of names(since)) rmSync(join(since, name), { force: true });
  }

  #isFull(): boolean {
    return names(serverPaths(this.#here).since).length >= MAX_SINCE;
  }

  #append(lines: readonly string[]): void {
    const { since } = serverPaths(this.#here);
    // Made elsewhere and then moved: dnsmasq would read a half-written one, and one that is only there for a moment.
    const made = join(this.#here, 'next');
    writeFileSync(made, text(lines), { mode: 0o644 });
    renameSync(made, join(since, String(Math.max(0, ...names(since).map(Number)) + 1)));
  }

  async #start(files: ServerFiles, index: number, prepare: () => void = () => undefined): Promise<void> {
    this.#messenger.forget();
    const conf = confName(files, index);
    const { pid } = serverPaths(this.#here);
    raiseInotifyLimit(this.#log);
    await mkdir(this.#here, { recursive: true, mode: 0o755 });
    await giveDirectory(join(this.#here, 'own'), this.user);
    writeAtomically(join(this.#here, conf), files.conf);
    await this.#daemon.stop();
    prepare();
    await rm(pid, { force: true });
    const path = join(this.#inside, conf);
    try {
      // dnsmasq writes its pid once its sockets are bound.
      await this.#daemon.start(
        ['dnsmasq', '--keep-in-foreground', `--conf-file=${path}`],
        () => (readIfPresent(pid) ?? '') !== '',
      );
    } catch (cause) {
      throw (await this.#refusal(path)) ?? cause;
    }
    for (const name of names(this.#here)) {
      if (name.endsWith('.conf') && name !== conf) rmSync(join(this.#here, name), { force: true });
    }
  }

  /** What dnsmasq says against its configuration, if that is why it did not start. */
  async #refusal(path: string): Promise<Error | undefined> {
    try {
      await this.#home.run(['dnsmasq', '--test', `--conf-file=${path}`]);
      return undefined;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'dnsmasq', reason }, { cause });
    }
  }
}

/**
 * From its arguments one sees which configuration a running dnsmasq has, and for which interface: one that was made anew under
 * the same name has another index, and dnsmasq's sockets are bound to the old one.
 */
function confName(files: ServerFiles, index: number): string {
  return `${digest(files.conf).slice(0, 12)}-${index}.conf`;
}

/** Nothing where there is no such directory. */
function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
