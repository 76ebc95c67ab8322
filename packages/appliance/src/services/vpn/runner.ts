import { Secret } from '@astara/config/secret.ts';
import { errors } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { ip } from '../../values.ts';
import {
  type Check,
  type Health,
  type Known,
  known,
  type Runner,
  type RunnerContext,
  unknown,
  type Whole,
} from '../service.ts';
import { Charon } from './charon.ts';
import { failureOf } from './failures.ts';
import type { ConnectionNode, VpnNode } from './nodes.ts';
import { renderConnection, renderKey, renderPsk } from './render.ts';
import { isUp, type Sa, sasOf, statusOf } from './status.ts';
import { type ConnectionName, type IkeId, idOf } from './values.ts';
import type { Vici } from './vici.ts';
import type { ViciReply } from './vici-message.ts';

/** A secret that charon has. `key`: how it calls a private key; undefined for a pre-shared one, which has its connection's id. */
interface Loaded {
  readonly secret: Secret;
  readonly key: string | undefined;
}

/** Undefined: no connection is wanted, and there is no charon. */
export type VpnState = VpnNode | undefined;

/** Between two looks whether somebody must be called again. ms */
const LOOK = 5_000;
/** Until a connection that does not come up is tried again: twice as long each time. ms */
const FIRST_RETRY = 5_000;
const LAST_RETRY = 60_000;

/**
 * One charon for all connections of the appliance, told over vici. What it has loaded is read from it: each connection's name says
 * what it was made of, so that a change touches no other, and what an earlier agent loaded is known again.
 */
export class VpnRunner implements Runner<VpnState, Whole<VpnState>> {
  readonly #charon: Charon;
  readonly #log: Log;
  readonly #emit: RunnerContext['emit'];
  readonly #failures = new Map<string, string>();
  readonly #retries = new Map<string, { at: number; pause: number }>();
  readonly #timer: NodeJS.Timeout;
  #state: VpnState;
  /** By the id of their connections. */
  #secrets: ReadonlyMap<string, Loaded> = new Map();
  #vici: Vici | undefined;
  /** Tunnels that are up, as `id tunnel`. */
  #up: ReadonlySet<string> = new Set();
  #looking: Promise<void> | undefined;
  #lookAgain = false;

  constructor(context: RunnerContext) {
    this.#charon = new Charon(context);
    this.#log = context.log;
    this.#emit = context.emit;
    this.#timer = setInterval(() => this.#watch(), LOOK);
    this.#timer.unref();
  }

  async adopt(state: VpnState): Promise<void> {
    await this.#charon.adopt();
    if (state === undefined) return this.#charon.stop();
    this.#state = state;
    if (this.#charon.running) await this.#session().catch((error: unknown) => this.#silent(error));
  }

  async observe(wanted: VpnState, former: VpnState): Promise<Known<VpnState>> {
    if (!this.#charon.running) return known(undefined);
    const node = former ?? wanted;
    if (node === undefined) return unknown;
    try {
      const names = await loaded(await this.#session());
      const all = new Map([...(wanted?.connections ?? []), ...(former?.connections ?? [])]);
      const connections = new Map(names.map((name) => [name, all.get(name) ?? stranger(name)]));
      if (!(await this.#charon.current(node.charon))) return unknown;
      return known({ charon: node.charon, connections });
    } catch (error) {
      this.#silent(error);
      return unknown;
    }
  }

  async execute({ from, to }: Whole<VpnState>): Promise<void> {
    this.#state = to;
    if (to === undefined) {
      this.#drop();
      await this.#charon.stop();
      this.#failures.clear();
      this.#retries.clear();
      return;
    }
    const before = from.unknown ? undefined : from.value;
    if (await this.#charon.ensure(to.charon)) this.#drop();
    await this.#converge(to, before);
  }

  async revive(state: VpnState): Promise<void> {
    if (state === undefined || this.#charon.running) return;
    try {
      this.#drop();
      await this.#charon.ensure(state.charon);
      await this.#converge(state, undefined);
    } catch (error) {
      this.#charon.reviveLater();
      throw error;
    }
  }

  async health(state: VpnState): Promise<Health> {
    const running = this.#charon.running;
    if (state === undefined || !running) return { wanted: state !== undefined, running };
    try {
      const sas = await this.#sas();
      const connections = [...state.connections.values()].map((node) =>
        statusOf(node, sas, this.#failures.get(node.id)),
      );
      return { wanted: true, running, detail: { ipsec: await this.#charon.ipsec(), connections } };
    } catch (error) {
      return { wanted: true, running, error: message(error) };
    }
  }

  async check(state: VpnState): Promise<readonly Check[]> {
    const names = new Set<string>();
    try {
      if (this.#charon.running) for (const name of await loaded(await this.#session())) names.add(name);
    } catch (error) {
      this.#silent(error);
    }
    return [...(state?.connections.values() ?? [])].map(({ id, name }) => ({
      name: `VPN connection ${id} is loaded`,
      ok: names.has(name),
    }));
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#state = undefined;
    this.#drop();
    this.#charon.release();
  }

  /** Leads what charon has loaded to what is wanted. Connections that stay as they are keep their tunnels. */
  async #converge(to: VpnNode, before: VpnNode | undefined): Promise<void> {
    const vici = await this.#session();
    const names = new Set<string>(await loaded(vici));
    for (const name of names) {
      const wanted = to.connections.get(name as ConnectionName);
      const old = before?.connections.get(name as ConnectionName);
      if (wanted !== undefined && (old === undefined || sameConnection(old, wanted))) continue;
      await unload(vici, name);
      names.delete(name);
      this.#failures.delete(idOf(name));
    }
    await this.#loadSecrets(vici, to);
    const ipsec = await this.#charon.ipsec();
    for (const node of to.connections.values()) {
      if (names.has(node.name)) continue;
      await vici.request('load-conn', renderConnection(node, ipsec));
      this.#retries.set(node.id, { at: performance.now() + FIRST_RETRY, pause: FIRST_RETRY });
    }
  }

  /**
   * Those that this charon was not told by us; they replace what was there under their names. What belongs to nobody is taken away.
   */
  async #loadSecrets(vici: Vici, to: VpnNode): Promise<void> {
    const before = this.#secrets;
    const secrets = new Map<string, Loaded>();
    for (const node of to.connections.values()) {
      const secret = secretOf(node);
      const old = before.get(node.id);
      secrets.set(node.id, old?.secret.equals(secret) ? old : { secret, key: await load(vici, node) });
    }
    this.#secrets = secrets;
    const keys = new Set([...secrets.values()].map(({ key }) => key));
    for (const id of list((await vici.request('get-shared')).keys)) {
      if (secrets.get(id)?.key !== undefined || !secrets.has(id)) await vici.request('unload-shared', { id });
    }
    for (const id of list((await vici.request('get-keys')).keys)) {
      if (!keys.has(id)) await vici.request('unload-key', { id });
    }
  }

  /** The connection to charon, with its events. */
  async #session(): Promise<Vici> {
    if (this.#vici !== undefined) return this.#vici;
    const vici = await this.#charon.connect(() => {
      if (this.#vici === vici) this.#drop();
    });
    this.#vici = vici;
    const look = () => this.#look();
    for (const event of ['ike-updown', 'child-updown', 'child-rekey']) await vici.listen(event, look);
    await vici.listen('log', (entry) => this.#heard(entry));
    look();
    return vici;
  }

  #drop(): void {
    const vici = this.#vici;
    this.#vici = undefined;
    this.#secrets = new Map();
    vici?.close();
    if (!this.#charon.running) this.#tell(new Set());
  }

  #heard(entry: ViciReply): void {
    const { msg, 'ikesa-name': name } = entry;
    const reason = typeof msg === 'string' ? failureOf(msg) : undefined;
    if (reason === undefined || typeof name !== 'string') return;
    const id = idOf(name);
    if (this.#failures.get(id) === reason) return;
    this.#failures.set(id, reason);
    this.#log.warn({ connection: id, reason }, 'VPN connection does not come up');
    this.#emit('vpn', { connection: id, error: reason });
  }

  async #sas(): Promise<Sa[]> {
    const vici = await this.#session();
    return sasOf(await vici.stream('list-sas', 'list-sa'), Date.now());
  }

  /** Tells what came up and what went down, and calls again those that should be up. One look at a time. */
  #look(): void {
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#lookOnce()
      .catch((error: unknown) => this.#silent(error))
      .finally(() => {
        this.#looking = undefined;
        if (!this.#lookAgain) return;
        this.#lookAgain = false;
        this.#look();
      });
  }

  async #lookOnce(): Promise<void> {
    const sas = await this.#sas();
    const up = sas.flatMap(({ name, tunnels }) => tunnels.filter(isUp).map((tunnel) => `${idOf(name)} ${tunnel.name}`));
    this.#tell(new Set(up));
    await this.#call(sas);
  }

  #tell(up: ReadonlySet<string>): void {
    const before = this.#up;
    this.#up = up;
    for (const tunnel of before.symmetricDifference(up)) {
      const [connection = '', name = ''] = tunnel.split(' ');
      if (up.has(tunnel)) this.#failures.delete(connection);
      this.#emit('vpn', { connection, tunnel: name, up: up.has(tunnel) });
    }
  }

  /** charon gives up for good when the peer says no; who is in the right may change his mind. */
  async #call(sas: readonly Sa[]): Promise<void> {
    const vici = this.#vici;
    const now = performance.now();
    for (const node of this.#state?.connections.values() ?? []) {
      const missing = node.tunnels.filter(({ name, start }) => start && !this.#up.has(`${node.id} ${name}`));
      if (missing.length === 0) {
        this.#retries.delete(node.id);
        continue;
      }
      const retry = this.#retries.get(node.id) ?? { at: now + FIRST_RETRY, pause: FIRST_RETRY };
      this.#retries.set(node.id, retry);
      const trying = sas.some(({ name, ike }) => name === node.name && ike.state !== 'ESTABLISHED');
      if (trying || now < retry.at) continue;
      const pause = Math.min(retry.pause * 2, LAST_RETRY);
      this.#retries.set(node.id, { at: now + retry.pause, pause });
      for (const { name } of missing) {
        // Without waiting for the outcome: events tell.
        await vici?.request('initiate', { ike: node.name, child: name, timeout: '-1' });
      }
    }
  }

  #watch(): void {
    if (this.#state !== undefined && this.#charon.running) this.#look();
  }

  #silent(error: unknown): void {
    if (this.#charon.running && this.#state !== undefined) this.#log.warn({ err: error }, 'charon does not answer');
  }
}

/** Whether they are one and the same, secrets and all. */
export function sameConnection(a: ConnectionNode, b: ConnectionNode): boolean {
  return a.name === b.name && secretOf(a).equals(secretOf(b));
}

function secretOf({ proof }: ConnectionNode): Secret {
  return proof.kind === 'psk' ? proof.psk : proof.key;
}

/** How charon calls the key, if it is a private one. */
async function load(vici: Vici, node: ConnectionNode): Promise<string | undefined> {
  const psk = renderPsk(node);
  if (psk !== undefined) await vici.request('load-shared', psk);
  const key = renderKey(node);
  return key === undefined ? undefined : String((await vici.request('load-key', key)).id);
}

async function loaded(vici: Vici): Promise<ConnectionName[]> {
  return list((await vici.request('get-conns')).conns) as ConnectionName[];
}

/** The tunnels of a connection end with it; the peer is told. */
async function unload(vici: Vici, name: string): Promise<void> {
  await vici.request('unload-conn', { name });
  const reply = await vici.ask('terminate', { ike: name, force: 'yes', timeout: '-1' });
  // It may have had no tunnels.
  if (reply.success === 'no' && reply.matches !== '0') {
    throw errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'charon', reason: `terminate: ${String(reply.errmsg)}` });
  }
}

/** A connection that charon has and nobody of us knows: of it only the name counts, under which it is unloaded. */
function stranger(name: ConnectionName): ConnectionNode {
  const any = '%any' as IkeId;
  const proof = { kind: 'psk', psk: new Secret('') } as const;
  return {
    name,
    id: idOf(name),
    version: 2,
    aggressive: false,
    local: ip('0.0.0.0', 'stranger'),
    remote: undefined,
    localId: undefined,
    remoteId: any,
    proof,
    proposal: '',
    lifetime: 0,
    dpd: undefined,
    tunnels: [],
  };
}

function list(value: ViciReply[string]): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
