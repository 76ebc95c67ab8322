import { lchown, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as setTimer } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import type { Address } from '@astara/kernel/contract.ts';
import { digest } from '@astara/model/digest.ts';
import { AstaraError } from '@astara/model/error.ts';
import { networkOf } from '@astara/model/ip.ts';
import { Daemon } from '../../daemons.ts';
import { errors } from '../../errors.ts';
import { account, giveDirectory, type Privileges, privilegePrefix } from '../../privileges.ts';
import { parentOf, signalProcess, startTime, until } from '../../processes.ts';
import { readIfPresent, writeAtomically } from '../../state-file.ts';
import type { RunnerContext } from '../service.ts';
import type { AddressNode } from './nodes.ts';
import { HA_USER } from './render.ts';
import { DIRECTORY, type HaState, haPaths } from './state.ts';
import { type InstanceState, NotifyFifo, parseNotice, routerState, type VrrpState, vrrpStates } from './states.ts';

/** Raw sockets for VRRP and gratuitous ARP; addresses and routes. */
const privileges: Privileges = { user: HA_USER, capabilities: ['net_admin', 'net_raw'] };
/** For 10,000 addresses of which each takes the kernel longer than the one before. ms */
const SETTLE_TIMEOUT = 15_000;
/** Another member is on the segment and answers at once. ms */
const LOOK_TIMEOUT = 100;
/** What is left of one that was killed has given up its mastership by then. ms */
const LEFTOVER_TIMEOUT = 250;

/**
 * The keepalived of an appliance. It decides alone who is master, also while no agent runs; we hear of it by its FIFO.
 *
 * One that has been killed leaves its addresses behind, and they go on serving until another member has announced them as its
 * own. So it is started again without them, as a backup, and told about them once it runs; when it then does not become master,
 * another one is, and what was left behind is taken away.
 */
export class Keepalived {
  readonly #context: RunnerContext;
  readonly #daemon: Daemon;
  readonly #fifo: NotifyFifo;
  readonly #directory: string;
  #states = new Map<string, InstanceState>();
  #sweep: NodeJS.Timeout | undefined;
  /** Of what it is to hold; undefined before there is a configuration. */
  #wanted: HaState | undefined;

  constructor(context: RunnerContext) {
    this.#context = context;
    this.#daemon = new Daemon({ ...context, program: 'keepalived', privileges });
    this.#directory = join(context.home.runDir, DIRECTORY);
    this.#fifo = new NotifyFifo((line) => this.#heard(line));
  }

  get running(): boolean {
    return this.#daemon.running !== undefined;
  }

  get states(): ReadonlyMap<string, InstanceState> {
    return this.#states;
  }

  /** Undefined while it does not run. */
  get state(): VrrpState | undefined {
    return this.running ? routerState(this.#states) : undefined;
  }

  /** Finds that of an earlier agent, and what has happened since. */
  async adopt(state: HaState | undefined): Promise<void> {
    await this.#daemon.adopt(() => true);
    if (state === undefined) return this.leave(undefined);
    this.#wanted = state;
    this.#states = readStates(this.#path('states.json'), state.names);
    if (this.running) this.#fifo.open(haPaths(this.#context.home.runDir).fifo);
  }

  /** Makes it so: started, or told of its new configuration, which does not touch its mastership. */
  async ensure(state: HaState): Promise<void> {
    this.#wanted = state;
    if (!this.running) return this.#start(state);
    if (await this.isAsTold(state)) return;
    // What it has lost it takes again when it is told again, also when that is nothing new.
    if (this.state === 'MASTER' || !this.#hasRead(state)) {
      await this.#load(state);
      await this.#settled(state);
    } else await this.#removeStale();
  }

  /** Whether it runs, knows all this, and has what it should have in its state. */
  async isAsTold(state: HaState): Promise<boolean> {
    if (!this.running || !this.#hasRead(state)) return false;
    const held = (await this.held(state.addresses)).length;
    if (this.state !== 'MASTER') return held === 0;
    const there = new Set((await this.#context.home.netns.routes()).map(({ destination }) => networkOf(destination)));
    const routes = state.node.instances.flatMap((instance) => instance.routes);
    return held === state.addresses.length && routes.every(({ destination }) => there.has(destination));
  }

  #hasRead(state: HaState): boolean {
    return readIfPresent(this.#path('loaded')) === digest(state.keepalived);
  }

  async revive(state: HaState): Promise<void> {
    if (this.running) return;
    try {
      await this.#start(state);
    } catch (error) {
      this.#daemon.reviveLater();
      throw error;
    }
  }

  /** Ends it and leaves what it holds to the link service: nothing that passes notices. */
  async leave(former: HaState | undefined): Promise<void> {
    this.#wanted = undefined;
    this.release();
    await this.#killAll();
    this.#states.clear();
    if (former !== undefined) await this.#remove(former.node.generated);
  }

  release(): void {
    clearTimeout(this.#sweep);
    this.#fifo.close();
    this.#daemon.release();
  }

  /** Those of `addresses` that are there. */
  async held(addresses: readonly AddressNode[]): Promise<AddressNode[]> {
    const there = new Set((await this.#addresses()).map(({ ifname, cidr }) => `${ifname} ${cidr}`));
    return addresses.filter(({ ifname, cidr }) => there.has(`${ifname} ${cidr}`));
  }

  /** While keepalived adds thousands of them the kernel may not get to the end of its list. */
  async #addresses(): Promise<Address[]> {
    const deadline = performance.now() + SETTLE_TIMEOUT;
    for (;;) {
      try {
        return await this.#context.home.netns.addresses();
      } catch (error) {
        const busy = error instanceof AstaraError && error.code === 'KERNEL_BUSY';
        if (!busy || performance.now() > deadline) throw error;
        await setTimeout(50);
      }
    }
  }

  async #start(state: HaState): Promise<void> {
    const { home } = this.#context;
    const here = haPaths(home.runDir);
    const inside = (name: string) => join(home.runDirInside, DIRECTORY, name);
    await until(async () => (await this.#processes()).length === 0, LEFTOVER_TIMEOUT);
    await this.#killAll();
    await giveDirectory(this.#path('keepalived'), privileges);
    // Also the pids: it would take somebody else, or a zombie, for itself.
    const stale = ['loaded', 'keepalived/notify', 'keepalived/pid', 'keepalived/vrrp.pid'];
    await Promise.all(stale.map((name) => rm(this.#path(name), { force: true })));
    // One that it had made itself it would make anew whenever it reads its configuration again.
    await home.run(['mkfifo', '--mode=600', haPaths(home.runDirInside).fifo]);
    const { uid, gid } = account(HA_USER);
    await lchown(here.fifo, uid, gid);
    this.#states.clear();
    this.#fifo.open(here.fifo);
    await this.#test(state.waiting);
    writeAtomically(this.#path('keepalived.conf'), state.waiting);
    await this.#daemon.start(
      [
        'keepalived',
        '--dont-fork',
        '--log-console',
        '--no-syslog',
        '--vrrp',
        // A child that it started again would take away at once what the other members do not have yet.
        '--dont-respawn',
        `--use-file=${inside('keepalived.conf')}`,
        `--pid=${inside('keepalived/pid')}`,
        `--vrrp_pid=${inside('keepalived/vrrp.pid')}`,
      ],
      () => state.names.every((name) => this.#states.has(name)),
    );
    await this.#load(state);
    this.#lookForMaster(state);
  }

  /**
   * Until it is master itself: once somebody else has the address that is advertised, what was left behind does harm. Its own
   * has gone when it started.
   */
  #lookForMaster(state: HaState): void {
    const pid = this.#daemon.running?.pid;
    const { netns } = this.#context.home;
    const other = async () => {
      const [instance] = state.node.instances;
      const address = instance?.primary.cidr.replace(/\/.*/, '') ?? '';
      return (await netns.resolve(state.node.interface, address, AbortSignal.timeout(LOOK_TIMEOUT))) !== undefined;
    };
    const goesOn = () => this.state === 'BACKUP' && this.#daemon.running?.pid === pid;
    // One that does not answer has not been looked for well: the timer has the last word.
    const look = () => until(async () => !goesOn() || (await other()), state.downInterval + 500).catch(() => undefined);
    void look().then(() => this.#sweepAfter(0));
  }

  async #load(state: HaState): Promise<void> {
    await this.#test(state.keepalived);
    writeAtomically(this.#path('keepalived.conf'), state.keepalived);
    this.#daemon.signal('SIGHUP');
    writeAtomically(this.#path('loaded'), digest(state.keepalived));
  }

  /** It does not say when it has done what it was told; a master's addresses do. */
  async #settled(state: HaState): Promise<void> {
    const done = async () =>
      this.state !== 'MASTER' || (await this.held(state.addresses)).length === state.addresses.length;
    if (await until(done, SETTLE_TIMEOUT)) return;
    const reason = `it has not taken all addresses after ${SETTLE_TIMEOUT} ms`;
    throw errors.make('APPLIANCE_DAEMON_FAILED', { daemon: 'keepalived', reason });
  }

  /** One that reads a configuration that it refuses would end. */
  async #test(text: string): Promise<void> {
    const { home } = this.#context;
    writeAtomically(this.#path('candidate.conf'), text);
    const path = join(home.runDirInside, DIRECTORY, 'candidate.conf');
    try {
      // As itself: as root it would try out another user, and 2.2.7 then ends itself.
      await home.run([...privilegePrefix(privileges), 'keepalived', '--config-test', `--use-file=${path}`]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (reason.includes('failed to execute')) {
        throw errors.make(
          'APPLIANCE_DAEMON_FAILED',
          { daemon: 'keepalived', reason: 'it is not installed' },
          { cause },
        );
      }
      throw errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'keepalived', reason }, { cause });
    }
  }

  #heard(line: string): void {
    const notice = parseNotice(line);
    if (notice === undefined) return;
    const before = routerState(this.#states);
    this.#states.set(notice.instance, { state: notice.state, since: new Date().toISOString() });
    const wanted = this.#wanted;
    if (wanted === undefined || this.#states.size < wanted.names.length) return;
    this.#remember();
    const state = routerState(this.#states);
    if (state === before) return;
    this.#context.log.info({ state, before }, 'VRRP state');
    this.#context.emit('ha', { state });
    // It takes its addresses away itself, unless it has forgotten that they are its own.
    if (state !== 'MASTER') this.#sweepAfter(1_000 + wanted.addresses.length);
  }

  /** For the next agent. Nobody waits for it, so a full disk must not end this one. */
  #remember(): void {
    try {
      writeAtomically(this.#path('states.json'), JSON.stringify(Object.fromEntries(this.#states)));
    } catch (err) {
      this.#context.log.error({ err }, 'VRRP state could not be written');
    }
  }

  #sweepAfter(delay: number): void {
    clearTimeout(this.#sweep);
    this.#sweep = setTimer(() => {
      this.#removeStale().catch((err) =>
        this.#context.log.error({ err }, 'addresses of another master could not be removed'),
      );
    }, delay);
    this.#sweep.unref();
  }

  async #removeStale(): Promise<void> {
    const wanted = this.#wanted;
    const other = () => this.state === 'BACKUP' || this.state === 'FAULT';
    if (wanted === undefined || !other()) return;
    const stale = await this.held(wanted.addresses);
    if (stale.length === 0 || !other()) return;
    this.#context.log.warn({ addresses: stale.length }, 'another member is master: addresses left behind are removed');
    await this.#remove(stale);
    for (const version of ['-4', '-6'])
      await this.#context.home.run(['ip', version, 'route', 'flush', 'proto', 'keepalived']);
  }

  async #remove(addresses: readonly AddressNode[]): Promise<void> {
    const there = await this.held(addresses);
    if (there.length === 0) return;
    await this.#context.home.netns.change(there.map(({ ifname, cidr }) => ({ op: 'address-delete', ifname, cidr })));
  }

  async #processes(): Promise<number[]> {
    const all = await this.#context.home.processes();
    return all.filter(({ argv }) => basename(argv[0] ?? '') === 'keepalived').map(({ pid }) => pid);
  }

  /** Children first: one that outlives its parent takes the addresses away. */
  async #killAll(): Promise<void> {
    const all = await this.#processes();
    const isChild = (pid: number) => all.includes(parentOf(pid) ?? 0);
    const gone = (pids: readonly number[]) => until(() => pids.every((pid) => startTime(pid) === undefined), 2_000);
    for (const pids of [all.filter(isChild), all.filter((pid) => !isChild(pid))]) {
      for (const pid of pids) signalProcess(pid, 'SIGKILL');
      await gone(pids);
    }
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** As they were when the last agent heard of them. */
function readStates(path: string, names: readonly string[]): Map<string, InstanceState> {
  const states = new Map<string, InstanceState>();
  const found = JSON.parse(readIfPresent(path) ?? '{}') as Readonly<Record<string, Partial<InstanceState>>>;
  for (const name of names) {
    const { state, since } = found[name] ?? {};
    if (state !== undefined && vrrpStates.includes(state) && since !== undefined) states.set(name, { state, since });
  }
  return states;
}
