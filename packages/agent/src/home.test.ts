import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NamespaceHome } from './home.ts';
import { readConsole, trimConsole } from './instances/console.ts';
import { Instance } from './instances/instance.ts';
import { innerPid, netnsOfProcess, readStat } from './instances/proc.ts';
import { until } from './poll.ts';
import { spec, uniqueId } from './testing/fixtures.ts';
import { testHost } from './testing/host.ts';
import { processesWith } from './testing/world.ts';

let instance: Instance;
let home: NamespaceHome;

beforeAll(async () => {
  instance = await Instance.create(await testHost(), uniqueId(), spec());
  home = await instance.home();
});

afterAll(() => instance.destroy());

test('run: in the namespaces of the instance, with input, answering its output', async () => {
  expect(await home.run(['cat'], { input: 'some text' })).toBe('some text');
  expect((await home.run(['readlink', '/proc/self/ns/net'])).trim()).toBe(`net:[${netnsOfProcess(instance.init.pid)}]`);
  expect((await home.run(['cat', '/proc/1/comm'])).trim()).toBe('catatonit');
});

test('run: failure names the program and what it said', async () => {
  const failed = home.run(['sh', '-c', 'echo it hurts >&2; exit 3']);
  await expect(failed).rejects.toMatchObject({ code: 'HOME_RUN_FAILED', message: 'sh: exit status 3: it hurts' });
  await expect(home.run(['at-agent-no-such-program'])).rejects.toMatchObject({ code: 'HOME_RUN_FAILED' });
});

test('run: what outlives its time is ended, inside too', async () => {
  await expect(home.run(['sleep', '98.7654'], { timeout: 50 })).rejects.toThrow('not finished after 50 ms');
  expect(await until(() => processesWith('98.7654').length === 0, 5_000)).toBe(true);
});

test('a daemon belongs to init, in a session of its own, and holds nothing of ours', async () => {
  const pid = await home.spawnDaemon(['sleep', '1001']);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(new RegExp(`^PPid:\\t${instance.init.pid}$`, 'm'));
  expect(status).toMatch(new RegExp(`^NSsid:\\t${pid}\\t`, 'm'));
  const held = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  expect(held.filter((target) => /^(socket|net|anon_inode):/.test(target))).toEqual([]);
  expect(await home.processes()).toContainEqual({ pid, argv: ['sleep', '1001'] });
});

test('processes: also the children of daemons, and none that has ended', async () => {
  const parent = await home.spawnDaemon(['sh', '-c', 'sleep 1002; true']);
  expect(
    await until(async () => (await home.processes()).some(({ argv }) => argv.join(' ') === 'sleep 1002'), 5_000),
  ).toBe(true);
  process.kill(parent, 'SIGKILL');
  expect(await until(async () => !(await home.processes()).some(({ pid }) => pid === parent), 5_000)).toBe(true);
  // The child is adopted, and init reaps the parent.
  expect((await home.processes()).some(({ argv }) => argv.join(' ') === 'sleep 1002')).toBe(true);
  expect(await until(() => readStat(parent) === undefined, 5_000)).toBe(true);
});

test('a daemon that is not installed', async () => {
  await expect(home.spawnDaemon(['at-agent-no-such-daemon'])).rejects.toMatchObject({
    code: 'AGENT_DAEMON_FAILED',
    message: 'at-agent-no-such-daemon did not start: it is not installed',
  });
});

test('what a daemon prints is its console, which is kept short', async () => {
  const pid = await home.spawnDaemon(['sh', '-c', 'echo out; echo err >&2; exec sleep 1003']);
  expect(await until(() => readConsole(home.runDir).sh?.includes('err') === true, 5_000)).toBe(true);
  expect(readConsole(home.runDir).sh).toBe('out\nerr');
  process.kill(pid, 'SIGKILL');
  await home.spawnDaemon(['sh', '-c', 'head -c 2000000 /dev/zero; exec sleep 1004']);
  const size = () => readFileSync(join(home.runDir, 'log', 'sh.log')).length;
  expect(await until(() => size() >= 2_000_000, 5_000)).toBe(true);
  trimConsole(home.runDir);
  expect(size()).toBe(0);
});

test('a daemon that is started through another program has its own name, pid and console', async () => {
  const argv = ['sh', '-c', 'echo limited; exec sleep 1006'];
  const pid = await home.spawnDaemon(argv, ['setpriv', '--bounding-set=-all,+net_admin', '--no-new-privs']);
  expect(await until(() => readConsole(home.runDir).sh?.endsWith('limited') === true, 5_000)).toBe(true);
  expect(await home.processes()).toContainEqual({ pid, argv: ['sleep', '1006'] });
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^CapEff:\t0000000000001000$/m);
});

test('twenty daemons started at once get their own pids', async () => {
  const pids = await Promise.all(Array.from({ length: 20 }, () => home.spawnDaemon(['sleep', '1005'])));
  expect(new Set(pids).size).toBe(20);
  for (const pid of pids) expect(innerPid(pid)).toBeGreaterThan(1);
});
