import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { silent } from '../log.ts';
import { until } from '../processes.ts';
import type { DhcpRunner } from '../services/dhcp/runner.ts';
import { dhcpService } from '../services/dhcp/service.ts';
import type { DhcpState } from '../services/dhcp/state.ts';
import { type Known, known, type PlannedStep } from '../services/service.ts';
import { Supervisor } from '../supervisor.ts';
import { World } from './world.ts';

/** The DHCP and DNS of a router without the rest of it: configurations are planned and executed, clients ask. */
export class Served {
  readonly world: World;
  readonly #supervisor = new Supervisor(50);
  runner: DhcpRunner;
  state: DhcpState = new Map();

  private constructor(world: World) {
    this.world = world;
    this.runner = this.open();
  }

  static async create(): Promise<Served> {
    return new Served(await World.create());
  }

  /** A runner as another agent would have it. */
  open(): DhcpRunner {
    const { home } = this.world;
    const runner: DhcpRunner = dhcpService.open({
      home,
      supervisor: this.#supervisor,
      log: silent,
      revive: () => void runner.revive(this.state).catch(() => undefined),
      emit: () => undefined,
    });
    return runner;
  }

  compile(config: ApplianceConfig): DhcpState {
    const { runDirInside } = this.world.home;
    return dhcpService.compile(config, { runDirInside, warn: () => undefined });
  }

  async apply(config: ApplianceConfig, before: Known<DhcpState> = known(this.state)) {
    const after = this.compile(config);
    const steps = dhcpService.plan(before, after);
    await this.execute(steps);
    this.state = after;
    return steps;
  }

  async execute(steps: readonly PlannedStep<Parameters<DhcpRunner['execute']>[0]>[]): Promise<void> {
    for (const { change } of steps) await this.runner.execute(change);
  }

  /** The pid of a network's dnsmasq. */
  async pid(ifname: string, role: 'dns' | 'dhcp'): Promise<number | undefined> {
    const all = await this.world.home.processes();
    return all.find(({ argv }) => argv.some((argument) => argument.includes(`/${ifname}/${role}/`)))?.pid;
  }

  /** What udhcpc was given; undefined when nobody answered. */
  async lease(host: string): Promise<Record<string, string> | undefined> {
    const script = join(this.world.home.runDir, 'udhcpc.sh');
    await writeFile(script, '#!/bin/sh\n[ "$1" = bound ] && env\nexit 0\n');
    await chmod(script, 0o755);
    const options = ['staticroutes', 'mtu', 'ntpsrv', 'bootfile', 'hostname', 'domain'].flatMap((name) => ['-O', name]);
    const argv = ['udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '2', '-T', '1', ...options, '-s', script];
    const { status, stdout } = await this.world.exec(host, argv);
    if (status !== 0) return undefined;
    const pairs = stdout.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]);
    return Object.fromEntries(pairs);
  }

  /**
   * What dhclient of `-4` or `-6` was given, one object for each time its script was called; it goes on until the test ends.
   * `stateless`: settings only (RFC 8415 §6.1).
   */
  async dhclient(host: string, family: '-4' | '-6', more: readonly string[] = []) {
    const { runDir } = this.world.home;
    if (family === '-6') await this.linkLocal(host);
    const script = join(runDir, 'dhclient.sh');
    await writeFile(script, '#!/bin/sh\necho "BEGIN reason=$reason"; env | grep -E "^new_"; echo "END"\nexit 0\n');
    await chmod(script, 0o755);
    const files = ['-lf', join(runDir, `dhclient${family}-${host}`), '-pf', '/dev/null', '-cf', '/dev/null'];
    const argv = ['dhclient', family, '-1', '-d', '-D', 'LL', '-sf', script, ...files, ...more, 'eth0'];
    // -D is for IPv6 alone.
    const client = await this.world.background(
      host,
      argv.filter((word) => family === '-6' || (word !== '-D' && word !== 'LL')),
    );
    return {
      kill: client.kill,
      answers: () =>
        client
          .output()
          .split('BEGIN ')
          .slice(1)
          .filter((part) => part.includes('END'))
          .map((part) => Object.fromEntries(part.split('\n').map((line) => line.split('=') as [string, string]))),
    };
  }

  /** Until it is usable, DHCPv6 clients give up at once. */
  async linkLocal(host: string): Promise<void> {
    await until(async () => {
      const { stdout } = await this.world.exec(host, ['ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'link']);
      return stdout.includes('fe80') && !stdout.includes('tentative');
    }, 5_000);
  }

  /** What the server answers, as text; empty when there is no such name. */
  async resolve(host: string, name: string, server: string, type = 'A'): Promise<string> {
    const script = `const r = new (require('dns').promises.Resolver)({ timeout: 1000, tries: 2 });
      r.setServers(['${server}']);
      r.resolve('${name}', '${type}').then((a) => console.log(a.join()), () => undefined);`;
    return (await this.world.exec(host, [process.execPath, '-e', script])).stdout.trim();
  }

  async destroy(): Promise<void> {
    try {
      for (const { change } of dhcpService.plan(known(this.state), new Map())) await this.runner.execute(change);
      await this.runner.release();
    } finally {
      this.#supervisor.close();
      await this.world.destroy();
    }
  }
}
