import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capabilityMask, capabilitySets } from '../capabilities.ts';
import { account } from '../privileges.ts';
import { signalProcess, startTime, until } from '../processes.ts';
import { allocation, config, network, subnet } from '../testing/configs.ts';
import { World } from '../testing/world.ts';
import { machineCapabilities } from './capabilities.ts';
import { TestCa } from './testing/certificates.ts';
import { MachineProcess } from './testing/machine-process.ts';

const execFileAsync = promisify(execFile);
const directories: string[] = [];
const processes: MachineProcess[] = [];

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), `at-machine-${process.pid}-`));
  directories.push(path);
  // As /run is: daemons that are not root must be able to pass.
  chmodSync(path, 0o755);
  return path;
}

afterAll(async () => {
  for (const machine of processes) await machine.end('SIGKILL');
  for (const path of directories) {
    for (const pid of daemonsOf(path)) signalProcess(pid, 'SIGKILL');
    rmSync(path, { recursive: true, force: true });
  }
});

function daemonsOf(path: string): number[] {
  try {
    return readdirSync(join(path, 'run', 'daemons')).map((name) => Number(name.split('-')[0]));
  } catch {
    return []; // it has started none
  }
}

function start(world: World, path: string, ...options: string[]): MachineProcess {
  const machine = new MachineProcess(world, path, options);
  processes.push(machine);
  return machine;
}

const internal = network('internal', 'qr-a', ['10.1.0.1/24', 'fd00:1::1/64'], {
  v6_conf_service: 'ra',
  subnets: [
    subnet('10.1.0.0/24', '10.1.0.1', { dhcp_enabled: true }),
    subnet('fd00:1::/64', 'fd00:1::1', { ipv6_ra_mode: 'slaac' }),
  ],
  allocations: [allocation('fa:16:3e:00:0a:01', { '10.1.0.10': true })],
});
const management = network('management', 'mgt', ['192.0.2.1/24']);
const wanted = config([management, internal], { generation: 1 });
/** In TLS 1.3 a client hears of it when it reads; the end of the connection may be faster than the alert. */
const refusedInHandshake = /^failed.*(alert|reset by peer|empty reply)/i;
const json = ['-H', 'Content-Type: application/json'];

async function world(): Promise<World> {
  const made = await World.create();
  // What a machine has by itself.
  await made.ip([`-n ${made.name('r')} link set lo up`]);
  await made.segment('neta', 'qr-a');
  await made.segment('netm', 'mgt');
  await made.host('a1', 'neta', { addresses: ['10.1.0.10/24', 'fd00:1::10/64'], gateway: '10.1.0.1' });
  await made.host('op', 'netm', { addresses: ['192.0.2.9/24'] });
  return made;
}

describe('a machine that is an appliance', () => {
  let here: World;
  let path: string;
  let machine: MachineProcess;
  let socket: string[];
  const loopback = 'http://127.0.0.1:5000';

  beforeAll(async () => {
    here = await world();
    path = directory();
    socket = ['--unix-socket', join(path, 'run', 'api.sock')];
    machine = await start(here, path).serving();
  });
  afterAll(async () => {
    await machine?.end('SIGKILL');
    await here?.destroy();
  });

  it('serves on loopback and on a socket, for those who are on it', async () => {
    expect(await machine.curl('r', `${loopback}/v2/config`)).toMatch(/\|200$/);
    expect(await machine.curl('r', ...socket, 'http://appliance/v2/config')).toMatch(/\|200$/);
    expect(statSync(join(path, 'run', 'api.sock')).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, 'state')).mode & 0o777).toBe(0o700);
    await here.ip([`-n ${here.name('r')} addr add 192.0.2.1/24 dev mgt`, `-n ${here.name('r')} link set mgt up`]);
    expect(await machine.curl('op', '-m', '1', 'http://192.0.2.1:5000/v2/config')).toMatch(/^failed/);
  });

  it('may do what a router must, and nothing else', () => {
    const needed = capabilityMask(machineCapabilities);
    for (const tid of readdirSync(`/proc/${machine.pid}/task`)) {
      const status = readFileSync(`/proc/${machine.pid}/task/${tid}/status`, 'latin1');
      expect(capabilitySets(status)).toEqual({ effective: needed, bounding: needed });
    }
  });

  it('becomes a router when it is told so', async () => {
    expect(await here.pings('a1', '10.1.0.1')).toBe(false);
    const put = ['-X', 'PUT', ...json, '-d', JSON.stringify(wanted)];
    expect(await machine.curl('r', ...put, `${loopback}/v2/config`)).toMatch(/\|200$/);
    expect(await here.eventuallyPings('a1', '10.1.0.1')).toBe(true);
    expect(await here.eventuallyPings('a1', 'fd00:1::1')).toBe(true);
    const users = daemonsOf(path).map((pid) =>
      Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    );
    expect(new Set(users)).toEqual(new Set([account('bird').uid, account('dnsmasq').uid]));
  });

  it('has the name that it was given, and this machine has its own', async () => {
    const before = hostname();
    const inside = await execFileAsync('nsenter', [
      `--target=${machine.pid}`,
      '--uts',
      '--mount',
      '--root',
      'cat',
      '/etc/hostname',
      '/proc/sys/kernel/hostname',
    ]);
    expect(inside.stdout).toBe('r1\nr1\n');
    expect(before).not.toBe('r1');
    expect(readFileSync('/etc/hostname', 'utf8')).not.toBe('r1\n');
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('is outlived by its data plane: %s', async (signal) => {
    const before = daemonsOf(path).sort();
    const starts = before.map(startTime);
    expect(before.length).toBeGreaterThan(1);
    expect(await machine.end(signal)).toBe(signal === 'SIGTERM' ? 0 : null);
    expect(await here.pings('a1', '10.1.0.1')).toBe(true);
    expect(before.map(startTime)).toEqual(starts);
    machine = await start(here, path).serving();
    expect(daemonsOf(path).sort()).toEqual(before);
    expect(before.map(startTime)).toEqual(starts);
    expect(await machine.curl('r', `${loopback}/v2/config`)).toMatch(/"generation":1.*\|200$/s);
  });

  it('does not meddle with programs that it has not started', async () => {
    const foreign = await here.background('r', ['bash', '-c', 'exec -a dnsmasq sleep 1007']);
    await machine.end('SIGTERM');
    machine = await start(here, path).serving();
    const running = await here.home.processes();
    expect(running.find(({ argv }) => argv[0] === 'dnsmasq' && argv[1] === '1007')).toBeDefined();
    foreign.kill();
  });

  it('is the same after a reboot', async () => {
    await machine.end('SIGKILL');
    const daemons = daemonsOf(path);
    for (const pid of daemons) signalProcess(pid, 'SIGKILL');
    rmSync(join(path, 'run'), { recursive: true });
    await here.ip([`-n ${here.name('r')} addr flush dev qr-a`, `-n ${here.name('r')} link set qr-a down`]);
    const flushed = await here.exec('r', ['nft', 'flush', 'ruleset']);
    expect(flushed.status).toBe(0);
    machine = await start(here, path).serving();
    expect(await here.eventuallyPings('a1', '10.1.0.1')).toBe(true);
    expect(daemonsOf(path)).toHaveLength(daemons.length);
  });
});

describe('from afar', () => {
  let here: World;
  let path: string;
  let machine: MachineProcess;
  let ours: TestCa;
  let client: string[];
  const url = 'https://192.0.2.1:5000/v2/config';

  const as = (credentials: { certificate: string; key: string }) => [
    ...['--cert', credentials.certificate, '--key', credentials.key],
  ];

  beforeAll(async () => {
    here = await world();
    path = directory();
    ours = new TestCa(path, 'ours');
    const server = ours.issue('router', 'IP:192.0.2.1,IP:10.1.0.1');
    client = ['--cacert', ours.certificate, ...as(ours.issue('operator'))];
    writeFileSync(join(path, 'first.json'), JSON.stringify(wanted));
    machine = await start(
      here,
      path,
      'listen = ::',
      `tls_certificate = ${server.certificate}`,
      `tls_key = ${server.key}`,
      `tls_client_ca = ${ours.certificate}`,
      `first_config = ${join(path, 'first.json')}`,
    ).serving();
  });
  afterAll(async () => {
    await machine?.end('SIGKILL');
    await here?.destroy();
  });

  it('it answers those who have a certificate of its authority, in the network that its first configuration names', async () => {
    expect(await machine.curl('op', ...client, url)).toMatch(/"generation":1.*\|200$/s);
    const next = JSON.stringify({ ...wanted, generation: 2 });
    expect(await machine.curl('op', ...client, ...json, '-X', 'PUT', '-d', next, url)).toMatch(/\|200$/);
  });

  it('it answers nobody else', async () => {
    const others = new TestCa(path, 'others');
    const cacert = ['--cacert', ours.certificate];
    expect(await machine.curl('op', ...cacert, url)).toMatch(refusedInHandshake);
    expect(await machine.curl('op', ...cacert, ...as(others.issue('operator')), url)).toMatch(refusedInHandshake);
    expect(await machine.curl('op', url.replace('https', 'http'))).toMatch(/^failed/);
    // Not even with a certificate where tenants are.
    expect(await machine.curl('a1', '-m', '1', ...client, url.replace('192.0.2.1', '10.1.0.1'))).toMatch(
      /^failed.*time/i,
    );
    expect(await machine.curl('op', ...client, url)).toMatch(/\|200$/);
  });

  it('takes new certificates on SIGHUP, and goes on with the old ones when the new are broken', async () => {
    const other = new TestCa(path, 'next');
    const fresh = other.issue('router', 'IP:192.0.2.1');
    const conf = readFileSync(join(path, 'appliance.conf'), 'utf8');
    const file = (option: string) => new RegExp(`${option} = (.*)`).exec(conf)?.[1] ?? '';
    const key = readFileSync(file('tls_key'), 'utf8');
    writeFileSync(file('tls_key'), 'nonsense');
    machine.child.kill('SIGHUP');
    expect(await until(() => machine.stdout.includes('certificates are not usable'), 5_000)).toBe(true);
    expect(await machine.curl('op', ...client, url)).toMatch(/\|200$/);
    writeFileSync(file('tls_key'), key);
    writeFileSync(file('tls_certificate'), readFileSync(fresh.certificate));
    writeFileSync(file('tls_key'), readFileSync(fresh.key));
    machine.child.kill('SIGHUP');
    const trusting = ['--cacert', other.certificate, ...client.slice(2)];
    expect(await until(async () => /\|200$/.test(await machine.curl('op', ...trusting, url)), 5_000)).toBe(true);
  });
});

describe('what keeps it from starting is said, with exit code 2 and nothing begun', () => {
  let here: World;
  beforeAll(async () => {
    here = await World.create();
    await here.ip([`-n ${here.name('r')} link set lo up`]);
  });
  afterAll(() => here?.destroy());

  async function refused(...options: string[]): Promise<string> {
    const path = directory();
    const machine = start(here, path, ...options);
    expect(await machine.exitCode()).toBe(2);
    expect(readdirSync(path).filter((name) => name === 'state')).toEqual([]);
    return machine.stderr;
  }

  it('an address that others can reach, without TLS', async () => {
    const stderr = await refused('listen = 0.0.0.0');
    for (const option of ['tls_certificate', 'tls_key', 'tls_client_ca'])
      expect(stderr).toContain(`${option} is not set`);
  });

  it('an unknown option', async () => {
    expect(await refused('listne = ::')).toContain('listne');
  });

  it('certificates that cannot be read, a first configuration that is not valid, another of its kind', async () => {
    const path = directory();
    const tls = ['tls_certificate', 'tls_key', 'tls_client_ca'].map(
      (option) => `${option} = ${join(path, 'none.pem')}`,
    );
    const unreadable = start(here, path, 'listen = ::', ...tls);
    expect(await unreadable.exitCode()).toBe(2);
    expect(unreadable.stderr).toContain('none.pem');
    expect(readdirSync(path)).not.toContain('state');

    writeFileSync(join(path, 'first.json'), '{"hostname":"no spaces"}');
    const invalid = start(here, path, `first_config = ${join(path, 'first.json')}`);
    expect(await invalid.exitCode()).toBe(2);
    expect(invalid.stderr).toContain('/hostname');

    mkdirSync(join(path, 'two'));
    const first = await start(here, path).serving();
    const second = start(here, join(path, 'two'), `socket = ${join(path, 'run', 'api.sock')}`);
    expect(await second.exitCode()).toBe(2);
    expect(second.stderr).toContain('another astara-appliance answers');
    expect(await first.end('SIGTERM')).toBe(0);
  });
});
