import { chownSync } from 'node:fs';
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import type { Home } from '../../home.ts';
import type { Log } from '../../log.ts';
import { account, giveDirectory, type Privileges } from '../../privileges.ts';
import { until } from '../../processes.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import { type Check, type Health, type Known, known, type Runner, type RunnerContext, unknown } from '../service.ts';
import { advertisementsSent } from './advertised.ts';
import { birdCommand } from './control.ts';
import type { BgpNode } from './nodes.ts';
import { fileNames, type RoutingFiles } from './render.ts';
import { readSessions, type Session } from './sessions.ts';
import type { RoutingChange, RoutingState } from './state.ts';

/** Below the run directory: what BIRD may read, and in it a directory that it may write to. */
export const DIRECTORY = 'routing';
const OWN = 'run';
const SOCKET = join(OWN, 'bird.ctl');
/** rtnetlink's number for routes of BIRD. */
const RTPROT_BIRD = 12;
/** ms; a healthy BIRD takes less than one. */
const LOOK_TIMEOUT = 1_000;
/** BIRD advertises at most once a second. ms */
const FAREWELL_TIMEOUT = 1_500;

/** Routes and raw sockets, port 179; nothing that gives it files or users. */
const privileges: Privileges = { user: 'bird', capabilities: ['net_admin', 'net_bind_service', 'net_raw'] };

/**
 * One BIRD for all of an appliance's advertisements and sessions. A change is made through its control socket: it compares the
 * old configuration with the new one and restarts no session that is in both.
 *
 * When it ends unexpectedly its routes stay in the kernel. The next one is started as a restarting speaker (RFC 4724): it leaves
 * them there until its neighbours have told theirs again, and the neighbours keep ours.
 */
export class RoutingRunner implements Runner<RoutingState, RoutingChange> {
  readonly #home: Home;
  readonly #log: Log;
  readonly #daemon: Daemon;

  constructor(context: RunnerContext) {
    this.#home = context.home;
    this.#log = context.log;
    this.#daemon = new Daemon({ ...context, program: 'bird', privileges });
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  async adopt(state: RoutingState): Promise<void> {
    await this.#daemon.adopt(isOurs(this.#home));
    if (state === undefined) await this.#end();
  }

  /** BIRD may have read the files or not; when they are as they were, and nobody else writes them, it has. */
  async observe(_wanted: RoutingState, former: RoutingState): Promise<Known<RoutingState>> {
    if (former === undefined) return this.running ? unknown : known(undefined);
    const running = this.#daemon.running;
    if (running === undefined || !isOurs(this.#home)(running.argv)) return unknown;
    const here = this.#files();
    return here.conf === former.files.conf && here.floating === former.files.floating ? known(former) : unknown;
  }

  async execute(change: RoutingChange): Promise<void> {
    if (change.kind === 'farewell') return this.#farewell(change.conf, change.ifnames);
    const { to } = change;
    if (to === undefined) return this.#end();
    await this.#makeDirectories();
    const running = this.#daemon.running;
    if (running !== undefined && isOurs(this.#home)(running.argv)) await this.#reconfigure(to.files);
    else await this.#start(to, await this.#leftRoutes());
  }

  async revive(state: RoutingState): Promise<void> {
    if (state === undefined || this.running) return;
    try {
      await this.#makeDirectories();
      await this.#start(state, true);
    } catch (error) {
      this.#daemon.reviveLater();
      throw error;
    }
  }

  async health(state: RoutingState): Promise<Health> {
    const wanted = state !== undefined;
    const { running } = this;
    if (state?.node.bgp === undefined || !running) return { wanted, running };
    try {
      return { wanted, running, detail: { sessions: await this.#sessions(state.node.bgp) } };
    } catch (error) {
      return { wanted, running, error: message(error) };
    }
  }

  /**
   * A session that is not established is told but fails no check: it takes seconds to come up, and it takes two. What fails is what
   * this side owes: a BIRD that answers, knows every neighbour, and tries (somebody may have disabled a session by hand).
   */
  async check(state: RoutingState): Promise<readonly Check[]> {
    if (state === undefined) return [];
    const name = 'BIRD answers';
    try {
      const { bgp } = state.node;
      if (bgp === undefined) return [{ name, ok: (await this.#command('show status', LOOK_TIMEOUT)).code < 8000 }];
      return [{ name, ok: true }, ...(await this.#sessions(bgp)).map(sessionCheck)];
    } catch (error) {
      return [{ name, ok: false, detail: message(error) }];
    }
  }

  async release(): Promise<void> {
    this.#daemon.release();
  }

  async #sessions(bgp: BgpNode): Promise<readonly Session[]> {
    const protocols = await this.#command('show protocols all', LOOK_TIMEOUT);
    const watched = bgp.neighbors.some(({ bfd }) => bfd);
    const bfd = watched ? await this.#command('show bfd sessions', LOOK_TIMEOUT) : undefined;
    return readSessions(bgp, protocols.lines, bfd?.lines ?? []);
  }

  /**
   * Best effort: a host that does not hear it knows the old lifetimes. Resolves when it has been said, so that what it is about
   * may go. Nothing but BIRD reads the file; the next change or restart writes another one.
   */
  async #farewell(conf: string, ifnames: readonly string[]): Promise<void> {
    const pid = this.#daemon.running?.pid;
    if (pid === undefined) return;
    const sent = () => ifnames.map((ifname) => advertisementsSent(pid, ifname));
    const before = sent();
    this.#writeFile('conf', conf);
    await this.#readAgain();
    // An interface that is gone has nothing to count, and nobody to listen.
    const said = () => sent().every((count, index) => count === undefined || count !== before[index]);
    if (!(await until(said, FAREWELL_TIMEOUT))) {
      this.#log.warn({ ifnames }, 'hosts were not told that prefixes or routers go');
    }
  }

  async #reconfigure(files: RoutingFiles): Promise<void> {
    const before = this.#files();
    this.#write(files, before);
    try {
      await this.#readAgain();
    } catch (error) {
      // What a restart would read is what runs.
      this.#write({ conf: before.conf ?? files.conf, floating: before.floating ?? files.floating }, files);
      throw error;
    }
  }

  async #readAgain(): Promise<void> {
    const { code, lines } = await this.#command('configure');
    // BIRD keeps what it had.
    if (code >= 8000) throw errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'bird', reason: lines.join('; ') });
  }

  async #start(state: NonNullable<RoutingState>, restarting: boolean): Promise<void> {
    this.#write(state.files, {});
    await rm(this.#here(SOCKET), { force: true });
    const conf = this.#inside(fileNames.conf);
    const recover = restarting && state.node.bgp !== undefined ? ['-R'] : [];
    try {
      const argv = ['bird', '-f', '-c', conf, '-s', this.#inside(SOCKET), ...recover];
      await this.#daemon.start(argv, () => this.#answers());
    } catch (cause) {
      throw (await this.#refusal(conf)) ?? cause;
    }
  }

  async #end(): Promise<void> {
    await this.#daemon.stop();
    // One that ended by itself has left them, and nobody comes to take them away.
    if (await this.#leftRoutes()) {
      for (const family of ['-4', '-6']) await this.#home.run(['ip', family, 'route', 'flush', 'proto', 'bird']);
    }
    await rm(this.#here('.'), { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.#command('show status', LOOK_TIMEOUT)).code < 8000;
    } catch {
      return false; // not yet
    }
  }

  async #refusal(path: string): Promise<Error | undefined> {
    try {
      await this.#home.run(['bird', '-p', '-c', path]);
      return undefined;
    } catch (cause) {
      return errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'bird', reason: message(cause) }, { cause });
    }
  }

  /** Whether an earlier BIRD has left routes behind. */
  async #leftRoutes(): Promise<boolean> {
    return (await this.#home.netns.routes()).some(({ protocol }) => protocol === RTPROT_BIRD);
  }

  async #makeDirectories(): Promise<void> {
    const { gid } = account('bird');
    await mkdir(this.#here('.'), { recursive: true });
    await chown(this.#here('.'), 0, gid);
    await chmod(this.#here('.'), 0o750);
    await giveDirectory(this.#here(OWN), privileges);
  }

  #write(files: RoutingFiles, before: Partial<RoutingFiles>): void {
    for (const name of ['conf', 'floating'] as const) {
      if (files[name] !== before[name]) this.#writeFile(name, files[name]);
    }
  }

  /** For BIRD to read, and nobody else: there are keys in it. */
  #writeFile(name: keyof RoutingFiles, text: string): void {
    const path = this.#here(fileNames[name]);
    writeAtomically(path, text, 0o640);
    chownSync(path, 0, account('bird').gid);
  }

  #files(): Partial<RoutingFiles> {
    const [conf, floating] = [readIfPresent(this.#here(fileNames.conf)), readIfPresent(this.#here(fileNames.floating))];
    return { ...(conf === undefined ? {} : { conf }), ...(floating === undefined ? {} : { floating }) };
  }

  #command(command: string, timeout?: number) {
    return birdCommand(this.#here(SOCKET), command, timeout);
  }

  #here(name: string): string {
    return join(this.#home.runDir, DIRECTORY, name);
  }

  #inside(name: string): string {
    return join(this.#home.runDirInside, DIRECTORY, name);
  }
}

/** Whether a BIRD reads the files that we write: one of an earlier release does not. */
function isOurs(home: Home): (argv: readonly string[]) => boolean {
  return (argv) => argv.includes(join(home.runDirInside, DIRECTORY, fileNames.conf));
}

function sessionCheck({ neighbor, asn, state, last_error }: Session): Check {
  const name = `BGP neighbour ${neighbor} (AS ${asn}) is ${state}`;
  return {
    name,
    ok: state !== 'missing' && state !== 'down',
    ...(last_error === undefined ? {} : { detail: last_error }),
  };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
