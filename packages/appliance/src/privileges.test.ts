import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Capability, capabilityMask, capabilitySets } from './capabilities.ts';
import { Daemon } from './daemons.ts';
import { account, giveDirectory, type Privileges, privilegePrefix } from './privileges.ts';
import { birdCommand } from './services/routing/control.ts';
import { readIfPresent } from './state-file.ts';
import { Supervisor } from './supervisor.ts';
import { World } from './testing/world.ts';

let world: World;
let supervisor: Supervisor;

beforeAll(async () => {
  world = await World.create();
  supervisor = new Supervisor();
  await world.segment('neta', 'qr-a');
  await world.ip([
    `-n ${world.name('r')} addr add 10.1.0.1/24 dev qr-a`,
    `-n ${world.name('r')} link set qr-a up`,
    `-n ${world.name('r')} link set lo up`,
  ]);
});

afterAll(async () => {
  supervisor?.close();
  await world?.destroy();
});

/** What the kernel says about a process: /proc/PID/status, proc(5). */
function status(pid: number) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return {
    uid: field('Uid').split('\t'),
    gid: field('Gid').split('\t'),
    groups: field('Groups'),
    ...capabilitySets(text),
    noNewPrivs: field('NoNewPrivs'),
  };
}

function fourTimes(id: number): string[] {
  return Array.from({ length: 4 }, () => String(id));
}

function daemon(program: string, privileges: Privileges): Daemon {
  return new Daemon({ program, home: world.home, supervisor, privileges, revive: () => undefined });
}

async function directory(name: string, privileges: Privileges): Promise<string> {
  const path = join(world.home.runDir, name);
  await giveDirectory(path, privileges);
  return path;
}

async function expectPrivileges(running: Daemon, user: string, capabilities: readonly Capability[]): Promise<void> {
  const pid = running.running?.pid ?? 0;
  const { uid, gid } = account(user);
  expect(status(pid)).toEqual({
    uid: fourTimes(uid),
    gid: fourTimes(gid),
    groups: '',
    effective: capabilityMask(capabilities),
    bounding: capabilityMask(capabilities),
    noNewPrivs: '1',
  });
  // What a later agent looks for.
  expect((await world.home.processes()).find((process) => process.pid === pid)?.argv[0]).toBe(running.running?.argv[0]);
}

describe('a daemon of its own user', () => {
  const capabilities = ['net_admin', 'net_bind_service', 'net_raw'] as const;

  it('dnsmasq serves DHCP and DNS', async () => {
    const path = await directory('dnsmasq', { user: 'dnsmasq', capabilities });
    const lines = ['no-hosts', 'no-resolv', 'bind-dynamic', 'interface=qr-a', 'dhcp-range=10.1.0.0,static'];
    writeFileSync(
      join(path, 'conf'),
      [...lines, `pid-file=${path}/pid`, `dhcp-leasefile=${path}/leases`, 'address=/a.test/10.1.0.9', ''].join('\n'),
    );
    const dnsmasq = daemon('dnsmasq', { user: 'dnsmasq', capabilities });
    await dnsmasq.start(
      ['dnsmasq', '--keep-in-foreground', `--conf-file=${path}/conf`],
      () => (readIfPresent(`${path}/pid`) ?? '') !== '',
    );
    await expectPrivileges(dnsmasq, 'dnsmasq', capabilities);
    const sockets = await world.home.run(['ss', '-Hlun']);
    expect(sockets).toMatch(/:67\s/);
    expect(sockets).toMatch(/10\.1\.0\.1:53\s/);
    await dnsmasq.stop();
  });

  it('bird writes routes', async () => {
    const path = await directory('bird', { user: 'bird', capabilities });
    const socket = join(path, 'ctl');
    writeFileSync(
      join(path, 'conf'),
      `router id 10.1.0.1;
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol static { ipv4; route 10.77.0.0/16 via 10.1.0.9; }
`,
    );
    const bird = daemon('bird', { user: 'bird', capabilities });
    await bird.start(['bird', '-f', '-c', join(path, 'conf'), '-s', socket], async () => {
      try {
        return (await birdCommand(socket, 'show status')).code < 8000;
      } catch {
        return false; // not yet
      }
    });
    await expectPrivileges(bird, 'bird', capabilities);
    await expect
      .poll(() => world.home.run(['ip', 'route', 'show', '10.77.0.0/16']), { timeout: 5_000 })
      .toMatch(/via 10\.1\.0\.9 .*proto bird/);
    await bird.stop();
  });
});

describe('what a daemon may not', () => {
  it('is refused by the kernel', async () => {
    const prefix = privilegePrefix({ user: 'nobody', capabilities: ['net_raw'] });
    await expect(world.home.run([...prefix, 'ip', 'link', 'set', 'lo', 'mtu', '1400'])).rejects.toThrow(
      'Operation not permitted',
    );
  });

  it('is not given to root either, nor to what it starts', async () => {
    const prefix = privilegePrefix({ capabilities: ['kill'] });
    const child = await world.home.run([...prefix, 'sh', '-c', 'sh -c "cat /proc/self/status"']);
    expect(child).toMatch(/^Uid:\t0\t0\t0\t0$/m);
    expect(child).toMatch(/^CapEff:\t0000000000000020$/m);
    expect(child).toMatch(/^CapBnd:\t0000000000000020$/m);
    expect(child).toMatch(/^NoNewPrivs:\t1$/m);
  });

  it('is an error when there is no such user', () => {
    expect(() => privilegePrefix({ user: 'at-none', capabilities: [] })).toThrow('there is no user at-none');
    expect(() => privilegePrefix({ group: 'at-none', capabilities: [] })).toThrow('there is no group at-none');
  });
});
