import type { Vpn, VpnConnection } from '@astara/model/appliance/vpn.ts';
import type { Home } from '../home.ts';
import { silent } from '../log.ts';
import type { RunnerContext } from '../services/service.ts';
import type { VpnRunner, VpnState } from '../services/vpn/runner.ts';
import { vpnService } from '../services/vpn/service.ts';
import type { ConnectionStatus } from '../services/vpn/status.ts';
import { Supervisor } from '../supervisor.ts';
import { config } from './configs.ts';
import { run, World } from './world.ts';

/** A router with a network behind it, and its charon without the rest of an appliance. `number` is in all of its addresses. */
export class Site {
  readonly world: World;
  readonly number: number;
  readonly events: { readonly event: string; readonly data: Readonly<Record<string, unknown>> }[] = [];
  readonly #home: Home;
  readonly #supervisor = new Supervisor();
  runner: VpnRunner;
  state: VpnState;

  private constructor(world: World, number: number, home: Home) {
    this.world = world;
    this.number = number;
    this.#home = home;
    this.runner = vpnService.open(this.#context());
  }

  /**
   * Its outer address and its network are, by version, 198.51.100.N and 10.N.0.0/24, 2001:db8:e::N and fd0N::/64. `through` may
   * make its home another one.
   */
  static async create(number: number, through: (home: Home) => Home = (home) => home): Promise<Site> {
    const world = await World.create();
    const site = new Site(world, number, through(world.home));
    const router = world.name('r');
    await world.segment('ext', 'qg-x');
    await world.segment('net', 'qr-a');
    await world.host('h', 'net', { addresses: [`${site.host(4)}/24`, `${site.host(6)}/64`] });
    await world.ip([
      `-n ${router} addr add ${site.outer(4)}/24 dev qg-x`,
      `-n ${router} addr add ${site.outer(6)}/64 dev qg-x nodad`,
      `-n ${router} addr add 10.${number}.0.1/24 dev qr-a`,
      `-n ${router} addr add fd0${number}::1/64 dev qr-a nodad`,
      `-n ${router} link set qg-x up`,
      `-n ${router} link set qr-a up`,
      `-n ${world.name('h')} route add default via 10.${number}.0.1`,
      `-n ${world.name('h')} route add default via fd0${number}::1`,
    ]);
    await world.netns.sysctl({ 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/all/forwarding': '1' });
    return site;
  }

  /** Makes the outer segments of two sites one. */
  static async join(a: Site, b: Site): Promise<void> {
    const [left, right] = [a.world.name('sw'), b.world.name('sw')];
    await a.world.ip([
      `link add to${b.number} netns ${left} type veth peer name to${a.number} netns ${right}`,
      `-n ${left} link set to${b.number} master ext up`,
      `-n ${right} link set to${a.number} master ext up`,
    ]);
  }

  outer(version: 4 | 6): string {
    return version === 4 ? `198.51.100.${this.number}` : `2001:db8:e::${this.number}`;
  }

  net(version: 4 | 6): string {
    return version === 4 ? `10.${this.number}.0.0/24` : `fd0${this.number}::/64`;
  }

  host(version: 4 | 6): string {
    return version === 4 ? `10.${this.number}.0.10` : `fd0${this.number}::10`;
  }

  async apply(connections: readonly VpnConnection[]): Promise<void> {
    await this.told({ connections: [...connections] });
  }

  /** The same; returns what is in force now. */
  async told(vpn: Vpn): Promise<VpnState> {
    const context = { runDirInside: this.world.home.runDirInside, warn: () => undefined };
    const state = vpnService.compile(config([], { vpn }), context);
    const before = await this.runner.observe(state, this.state);
    for (const { change } of vpnService.plan(before, state)) await this.runner.execute(change);
    this.state = state;
    return state;
  }

  /** Another agent takes over. */
  async adopt(): Promise<void> {
    await this.runner.release();
    this.runner = vpnService.open(this.#context());
    await this.runner.adopt(this.state);
  }

  async status(id: string): Promise<ConnectionStatus | undefined> {
    const { detail } = await this.runner.health(this.state);
    return (detail as { connections: ConnectionStatus[] } | undefined)?.connections.find((entry) => entry.id === id);
  }

  /** charon's. */
  async pid(): Promise<number | undefined> {
    return (await this.world.home.processes()).find(({ argv }) => argv[0] === 'charon-systemd')?.pid;
  }

  /** Throws when there is no charon: a signal to nobody would go to everybody. */
  async signal(name: NodeJS.Signals): Promise<number> {
    const pid = await this.pid();
    if (pid === undefined) throw new Error('charon does not run');
    process.kill(pid, name);
    return pid;
  }

  pings(address: string): Promise<boolean> {
    return this.world.pings('h', address);
  }

  swanctl(...args: string[]) {
    return run('swanctl', [...args, '--uri', `unix://${this.world.home.runDir}/charon/own/vici`]);
  }

  async destroy(): Promise<void> {
    await this.runner.release();
    this.#supervisor.close();
    await this.world.destroy();
  }

  #context(): RunnerContext {
    return {
      home: this.#home,
      supervisor: this.#supervisor,
      log: silent,
      revive: () => void this.runner.revive(this.state).catch(() => undefined),
      emit: (event, data) => this.events.push({ event, data }),
    };
  }
}

/** A connection of site `a` to site `b`, with IKEv2 and a pre-shared key. */
export function connection(a: Site, b: Site, more: Partial<VpnConnection> = {}, version: 4 | 6 = 4): VpnConnection {
  return {
    id: `c0-${version}`,
    local_address: a.outer(version),
    peer_address: b.outer(version),
    peer_id: b.outer(version),
    psk: 'a secret of "two" \\ends',
    initiator: 'bi-directional',
    local_cidrs: [a.net(version)],
    peer_cidrs: [b.net(version)],
    ike_policy: {
      ike_version: 'v2',
      auth_algorithm: 'sha256',
      encryption_algorithm: 'aes-128',
      pfs: 'group19',
    },
    ipsec_policy: {
      transform_protocol: 'esp',
      encapsulation_mode: 'tunnel',
      auth_algorithm: 'sha256',
      encryption_algorithm: 'aes-128-gcm-16',
      pfs: 'group19',
    },
    ...more,
  };
}
