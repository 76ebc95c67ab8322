import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Netns } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { Applier } from '../apply/applier.ts';
import type { AnyService } from '../apply/state.ts';
import { silent } from '../log.ts';
import { signalProcess, until } from '../processes.ts';
import { haService } from '../services/ha/service.ts';
import type { VrrpState } from '../services/ha/states.ts';
import { virtualAddresses } from '../services/ha/virtual.ts';
import { linkService } from '../services/link/service.ts';
import { Supervisor } from '../supervisor.ts';
import { config, network } from './configs.ts';
import { NetnsHome } from './netns-home.ts';
import { run, World } from './world.ts';

/** What the firewall service does in a whole appliance; strict, so that a connection that nobody knows of does not get through. */
const RULES = `
table ip nat {
  chain pre { type nat hook prerouting priority -100
    ip daddr 198.51.100.50 dnat to 10.1.0.10
  }
  chain post { type nat hook postrouting priority 100
    oifname "ext0" ip saddr 10.1.0.10 ip daddr 198.51.100.3 snat to 198.51.100.50
    oifname "ext0" ip saddr 10.1.0.0/24 snat to 198.51.100.2
  }
}
table inet filter {
  chain input { type filter hook input priority 0; policy accept
    iifname "ext0" meta l4proto tcp drop
  }
  chain forward { type filter hook forward priority 0; policy drop
    ct state established,related accept
    ct state invalid drop
    tcp flags & (syn | ack) != syn drop
    iifname "int0" accept
    ct status dnat accept
    meta l4proto ipv6-icmp accept
  }
}
`;

const segments = { ha0: 'br-ha', ext0: 'br-ext', int0: 'br-int' } as const;
export type Port = keyof typeof segments;
const ports = Object.keys(segments) as Port[];

export interface MemberOptions {
  readonly advertInterval?: number;
  /** In which version members hear each other; default 4. */
  readonly versions?: readonly (4 | 6)[];
  readonly multicast?: boolean;
  readonly ha?: Partial<NonNullable<ApplianceConfig['ha']>>;
  readonly services?: readonly AnyService[];
}

/** One appliance of several that are one router. `number` counts from 1; the first has the highest priority. */
export class Member {
  readonly number: number;
  readonly home: NetnsHome;
  readonly name: string;
  /** Of each state that was announced. */
  readonly events: unknown[] = [];
  readonly #options: MemberOptions;
  readonly #count: number;
  #applier: Applier | undefined;
  #supervisor: Supervisor | undefined;
  #config: ApplianceConfig | undefined;

  constructor(number: number, count: number, name: string, netns: Netns, directory: string, options: MemberOptions) {
    this.number = number;
    this.name = name;
    this.#count = count;
    this.home = new NetnsHome(name, netns, directory);
    this.#options = options;
  }

  config(more: Partial<ApplianceConfig> = {}): ApplianceConfig {
    const { advertInterval = 100, versions = [4], multicast = false, ha } = this.#options;
    const others = Array.from({ length: this.#count }, (_, index) => index + 1).filter((n) => n !== this.number);
    const own = (n: number, version: number) => (version === 4 ? `172.31.0.${n}` : `fd31::${n}`);
    return config(
      [
        network(
          'management',
          'ha0',
          versions.map((version) => `${own(this.number, version)}/${version === 4 ? 24 : 64}`),
        ),
        network('external', 'ext0', ['198.51.100.2/24', '2001:db8::2/64']),
        network('internal', 'int0', ['10.1.0.1/24', 'fd01::1/64']),
      ],
      {
        default_v4_gateway: '198.51.100.1',
        default_v6_gateway: '2001:db8::1',
        floating_ips: [{ floating_ip: '198.51.100.50', fixed_ip: '10.1.0.10' }],
        ha: {
          vrid: 51,
          priority: 200 - 50 * this.number,
          interface: 'ha0',
          peers: multicast ? [] : others.flatMap((n) => versions.map((version) => own(n, version))),
          advert_interval_ms: advertInterval,
          ...ha,
        },
        ...more,
      },
    );
  }

  /** An agent starts, or another one. */
  async start(former?: ApplianceConfig): Promise<void> {
    const { services = [linkService, haService] } = this.#options;
    const supervisor = new Supervisor();
    const applier: Applier = new Applier({
      home: this.home,
      services,
      log: silent,
      context: (service) => ({
        home: this.home,
        supervisor,
        log: silent,
        // As in an appliance: what cannot be started is tried again by the service itself.
        revive: () => void applier.revive(service).catch(() => undefined),
        emit: (event, data) => void this.events.push({ event, ...data }),
      }),
    });
    await applier.adopt(former);
    this.#supervisor = supervisor;
    this.#applier = applier;
  }

  /** The agent ends; daemons run on. */
  async stopAgent(): Promise<ApplianceConfig | undefined> {
    await this.#applier?.release();
    this.#supervisor?.close();
    return this.#config;
  }

  async apply(wanted = this.config()) {
    const applied = await this.#applier?.apply(wanted, () => undefined);
    this.#config = wanted;
    return applied;
  }

  /** What differs from the configuration in force. */
  async drift(): Promise<string[]> {
    return ((await this.#applier?.drift()) ?? []).map(({ service, what }) => `${service}: ${what}`);
  }

  /** The next apply looks at the world first. */
  distrust(): void {
    this.#applier?.distrust();
  }

  async state(): Promise<VrrpState | 'UNKNOWN' | undefined> {
    const detail = (await this.#applier?.health())?.get('ha')?.detail as { state: VrrpState } | undefined;
    return detail?.state;
  }

  async checks() {
    return (await this.#applier?.check(AbortSignal.timeout(5_000)))?.filter(({ service }) => service === 'ha') ?? [];
  }

  /** How many of the router's addresses it has, of how many. */
  async held(): Promise<{ held: number; of: number }> {
    const all = virtualAddresses(this.#config ?? this.config()).filter(({ ifname }) => ifname !== 'ha0');
    // The kernel may not get to the end of a list that keeps changing.
    const found = await this.home.netns.addresses().catch(() => []);
    const there = new Set(found.map(({ ifname, cidr }) => `${ifname} ${cidr}`));
    return { held: all.filter(({ ifname, cidr }) => there.has(`${ifname} ${cidr}`)).length, of: all.length };
  }

  /** Its daemons of this name, parents first. */
  async pids(program: string): Promise<number[]> {
    return (await this.home.processes()).filter(({ argv }) => argv[0] === program).map(({ pid }) => pid);
  }

  async kill(program: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    for (const pid of await this.pids(program)) signalProcess(pid, signal);
  }

  async destroy(): Promise<void> {
    await this.stopAgent();
    for (const { pid } of await this.home.processes()) signalProcess(pid, 'SIGKILL');
    await until(async () => (await this.home.processes()).length === 0, 2_000);
    this.home.netns.close();
  }
}

/**
 * Members of one router, with a client inside (10.1.0.10, fd01::10) and a server outside (198.51.100.1, 2001:db8::1; and
 * 198.51.100.3, to which the client leaves with its floating IP 198.51.100.50).
 */
export class HaWorld {
  readonly world: World;
  readonly members: Member[] = [];

  private constructor(world: World) {
    this.world = world;
  }

  static async create(count: number, options: MemberOptions = {}): Promise<HaWorld> {
    const lab = new HaWorld(await World.create());
    try {
      await lab.#build(count, options);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
    return lab;
  }

  async #build(count: number, options: MemberOptions): Promise<void> {
    const { world } = this;
    const sw = world.name('sw');
    for (const bridge of Object.values(segments)) {
      await world.ip([`link add ${bridge} netns ${sw} type bridge mcast_snooping 0`, `-n ${sw} link set ${bridge} up`]);
    }
    await world.host('client', 'br-int', { addresses: ['10.1.0.10/24', 'fd01::10/64'], gateway: '10.1.0.1' });
    await world.host('server', 'br-ext', { addresses: ['198.51.100.1/24', '198.51.100.3/24', '2001:db8::1/64'] });
    await world.ip([
      `-n ${world.name('client')} route add default via fd01::1`,
      `-n ${world.name('server')} route add fd01::/64 via 2001:db8::2`,
    ]);
    for (let number = 1; number <= count; number += 1) await this.#add(number, count, options);
  }

  async #add(number: number, count: number, options: MemberOptions): Promise<void> {
    const { world } = this;
    const short = `m${number}`;
    await world.addNamespace(short);
    const name = world.name(short);
    const directory = join(world.home.runDir, short);
    await mkdir(directory, { mode: 0o755 });
    for (const port of ports) {
      await world.ip([
        `link add ${port} netns ${name} type veth peer name ${short}-${port} netns ${world.name('sw')}`,
        `-n ${world.name('sw')} link set ${short}-${port} master ${segments[port]} up`,
      ]);
    }
    const member = new Member(number, count, name, await world.kernel.open(name), directory, options);
    this.members.push(member);
    if (options.services === undefined) await world.exec(short, ['nft', '-f', '-'], { input: RULES });
    await world.exec(short, ['sysctl', '-qw', 'net.netfilter.nf_conntrack_tcp_loose=0']);
    await member.start();
  }

  member(number: number): Member {
    const member = this.members[number - 1];
    if (member === undefined) throw new RangeError(`there is no member ${number}`);
    return member;
  }

  /** Applies to all, and waits until the first is master and the others know. */
  async settle(): Promise<void> {
    for (const member of this.members) await member.apply();
    await this.becomes(1);
  }

  /** Waits until this member has all addresses, and no other has any. */
  async becomes(master: number, timeout = 10_000): Promise<boolean> {
    return until(async () => {
      const all = await Promise.all(this.members.map(async (member) => ({ ...(await member.held()), member })));
      return all.every(({ held, of, member }) => held === (member.number === master ? of : 0));
    }, timeout);
  }

  /** `blackhole`: nothing gets through and nobody notices, as when its host dies; `down`: no carrier. */
  async cut(member: number, kind: 'blackhole' | 'down', which: readonly Port[] = ports): Promise<void> {
    const sw = this.world.name('sw');
    await this.world.ip(
      which.map((port) => `-n ${sw} link set m${member}-${port} ${kind === 'down' ? 'down' : 'nomaster'}`),
    );
  }

  async mend(member: number, which: readonly Port[] = ports): Promise<void> {
    const sw = this.world.name('sw');
    await this.world.ip(which.map((port) => `-n ${sw} link set m${member}-${port} master ${segments[port]} up`));
  }

  /** The longest time without an answer to one of the pings that a host sends every 10 ms, from now until `stop`. ms */
  async watch(address: string, host = 'client') {
    const ping = await this.world.background(host, ['ping', '-n', '-D', '-i', '0.01', address]);
    const replies = () => [...ping.output().matchAll(/^\[(\d+\.\d+)\] \d+ bytes/gm)].map(([, time]) => Number(time));
    if (!(await until(() => replies().length > 20, 10_000))) throw new Error(`${address} does not answer`);
    return {
      /** Answered again, after the last silence, for half a second. */
      recovered: (timeout = 15_000) => {
        const since = replies().length;
        return until(() => replies().length > since + 50, timeout);
      },
      stop: () => {
        ping.kill();
        const times = [...replies(), Date.now() / 1000];
        return Math.round(1000 * Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time))));
      },
    };
  }

  async destroy(): Promise<void> {
    try {
      for (const member of this.members) await member.destroy();
    } finally {
      await this.world.destroy();
    }
  }

  /** Runs a program on a member. */
  async on(member: number, argv: readonly string[]) {
    return run('ip', ['netns', 'exec', this.member(member).name, ...argv]);
  }
}
