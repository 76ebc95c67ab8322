import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capabilityMask, capabilitySets } from '@astara/appliance/capabilities.ts';
import { netnsName, tapName } from '@astara/model/instance.ts';
import { describe, expect, test } from 'vitest';
import { agentCapabilities } from './capabilities.ts';
import { NamespaceHome } from './home.ts';
import { instancePaths } from './instances/paths.ts';
import { commandLine, netnsOfName, processesInNetns, readStat } from './instances/proc.ts';
import { readTap } from './plugging/tap.ts';
import { until } from './poll.ts';
import { AgentProcess, readWhole } from './testing/agent-process.ts';
import { call } from './testing/client.ts';
import { attachment, spec, uniqueId } from './testing/fixtures.ts';
import { instanceIds, temporaryRunDir } from './testing/world.ts';

const recordOf = (runDir: string, id: string) => readWhole(instancePaths(runDir, id).record);

describe('an agent killed with kill -9', () => {
  test('is outlived by its instances and their daemons, which the next one adopts', async () => {
    const runDir = temporaryRunDir();
    const first = await new AgentProcess(runDir).serving();
    const id = uniqueId();
    const wanted = spec([attachment(), attachment()]);
    const made = (await first.client.put(id, wanted)).body;
    const { init } = await recordOf(runDir, id);
    const home = new NamespaceHome({ id, init, paths: instancePaths(runDir, id), netns: noNetns });
    const daemon = await home.spawnDaemon(['sleep', '2001']);
    const stat = readStat(daemon);

    await first.end('SIGKILL');
    expect(readStat(daemon)?.startTime).toBe(stat?.startTime);
    for (const { port_id } of wanted.attachments) expect(readTap(tapName(port_id))?.up).toBe(true);

    const second = await new AgentProcess(runDir).serving();
    const adopted = (await second.client.get(id)).body;
    expect(adopted).toEqual(made);
    expect((await recordOf(runDir, id)).init).toEqual(init);
    expect(await home.processes()).toEqual([{ pid: daemon, argv: ['sleep', '2001'] }]);
    expect(second.stdout).toMatch(/"running":1,"dead":0,"removed":0/);

    expect((await second.client.destroy(id)).status).toBe(204);
    expect(commandLine(daemon)).toEqual([]);
    expect(await second.end('SIGTERM')).toBe(0);
  });

  test('in the middle of making and removing leaves nothing that the next start does not own', async () => {
    const runDir = temporaryRunDir();
    const ports = Array.from({ length: 40 }, () => attachment());
    const ids = Array.from({ length: 20 }, () => uniqueId());
    const specs = ids.map((_, index) => spec(ports.slice(index * 2, index * 2 + 2)));
    for (let round = 0; round < 12; round++) {
      const agent = await new AgentProcess(runDir).serving();
      const work = ids.map((id, index) => {
        const wanted = specs[index] ?? spec();
        const doing = (index + round) % 3 === 0 ? agent.client.destroy(id) : agent.client.put(id, wanted);
        return doing.catch(() => undefined); // the agent dies under it
      });
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, Math.random() * 250);
      await Promise.race([promise, Promise.all(work)]);
      await agent.end('SIGKILL');
      await Promise.all(work);
    }

    const last = await new AgentProcess(runDir).serving();
    const views = await last.client.list();
    expect(views.map((view) => view.id).sort()).toEqual(instanceIds(runDir).sort());
    expect(views.map((view) => view.state)).toEqual(views.map(() => 'running'));
    const alive = new Set(views.map((view) => view.id));
    for (const id of ids) {
      const inode = netnsOfName(netnsName(id));
      if (!alive.has(id)) {
        expect(inode, `${id} is gone`).toBeUndefined();
        continue;
      }
      const { init } = await recordOf(runDir, id);
      expect(processesInNetns(inode ?? 0)).toEqual([init.pid]);
    }
    // Nor is there an init of ours that no record knows, in whatever namespace.
    const owned = await Promise.all([...alive].map(async (id) => (await recordOf(runDir, id)).init.pid));
    expect(initsBelow(runDir)).toEqual(owned.sort((a, b) => a - b));

    // And all of it can be brought to any state again.
    const answers = await Promise.all(ids.map((id, index) => last.client.put(id, specs[index] ?? spec())));
    expect(answers.map((answer) => answer.status)).toEqual(ids.map(() => 200));
    for (const { port_id } of ports) expect(readTap(tapName(port_id))?.up).toBe(true);
    await Promise.all(ids.map((id) => last.client.destroy(id)));
    expect(ports.filter(({ port_id }) => readTap(tapName(port_id)) !== undefined)).toEqual([]);
    expect(instanceIds(runDir)).toEqual([]);
  }, 120_000);

  test('left half-made instances, which the next one removes', async () => {
    const runDir = temporaryRunDir();
    const [bare, torn] = [uniqueId(), uniqueId()];
    mkdirSync(join(instancePaths(runDir, bare).log), { recursive: true });
    mkdirSync(instancePaths(runDir, torn).dir, { recursive: true });
    writeFileSync(instancePaths(runDir, torn).record, '{"version":1,');
    const agent = await new AgentProcess(runDir).serving();
    expect(await agent.client.list()).toEqual([]);
    expect(instanceIds(runDir)).toEqual([]);
    expect(agent.stdout).toMatch(/"running":0,"dead":0,"removed":2/);
  });
});

test('an instance whose init died while no agent ran is dead, not made again', async () => {
  const runDir = temporaryRunDir();
  const first = await new AgentProcess(runDir).serving();
  const id = uniqueId();
  const wanted = spec([attachment()]);
  await first.client.put(id, wanted);
  const { init } = await recordOf(runDir, id);
  await first.end('SIGKILL');
  process.kill(init.pid, 'SIGKILL');
  const second = await new AgentProcess(runDir).serving();
  expect((await second.client.get(id)).body.state).toBe('dead');
  expect((await second.client.put(id, wanted)).body).toMatchObject({
    state: 'running',
    attachments: wanted.attachments,
  });
  await second.client.destroy(id);
});

test('every thread of it has the capabilities that it needs and can get no others', async () => {
  const agent = await new AgentProcess(temporaryRunDir()).serving();
  const threads = `/proc/${agent.child.pid}/task`;
  const found = readdirSync(threads).map((tid) => readFileSync(join(threads, tid, 'status'), 'latin1'));
  // V8's, and those of the pool that has served files.
  expect(found.length).toBeGreaterThan(4);
  const needed = capabilityMask(agentCapabilities);
  for (const status of found) {
    expect(capabilitySets(status)).toEqual({ effective: needed, bounding: needed });
    expect(status).toMatch(/^CapInh:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  }
  expect(commandLine(agent.child.pid ?? 0)).toContain('--config-file');
});

test('SIGTERM: it stops serving and lets the instances run', async () => {
  const runDir = temporaryRunDir();
  const agent = await new AgentProcess(runDir).serving();
  const id = uniqueId();
  await agent.client.put(id, spec());
  const { init } = await recordOf(runDir, id);
  expect(await agent.end('SIGTERM')).toBe(0);
  expect(existsSync(agent.socket)).toBe(false);
  expect(readStat(init.pid)?.startTime).toBe(init.start_time);
  for (const line of agent.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ name: 'astara-agent' });
});

test('SIGHUP: the log level changes, the rest stays', async () => {
  const runDir = temporaryRunDir();
  const agent = await new AgentProcess(runDir, 'log_level = warn\n').serving();
  expect(agent.stdout).toBe('');
  writeFileSync(join(runDir, 'astara.conf'), `[DEFAULT]\nrun_dir = ${runDir}\nlog_level = info\n`);
  agent.child.kill('SIGHUP');
  expect(await until(() => agent.stdout.includes('configuration read again'), 5_000)).toBe(true);
  expect(agent.stdout).toContain('"changed":["[DEFAULT] log_level"]');
  writeFileSync(join(runDir, 'astara.conf'), '[DEFAULT]\nlog_level = loud\n');
  agent.child.kill('SIGHUP');
  expect(await until(() => agent.stdout.includes('the old one stays in force'), 5_000)).toBe(true);
  expect((await call(agent.socket, 'GET', '/healthz')).status).toBe(200);
});

describe('what keeps it from starting is said, with exit code 2 and nothing begun', () => {
  const bare = () => mkdtempSync(join(tmpdir(), 'at-agent-bad-'));
  const remains = (runDir: string) => {
    const files = readdirSync(runDir);
    rmSync(runDir, { recursive: true });
    return files;
  };

  test('a second agent', async () => {
    const runDir = temporaryRunDir();
    const first = await new AgentProcess(runDir).serving();
    const second = new AgentProcess(runDir);
    expect(await second.exitCode()).toBe(2);
    expect(second.stderr).toContain(`another agent answers on ${first.socket}`);
    expect((await call(first.socket, 'GET', '/healthz')).status).toBe(200);
  });

  test('an unknown option', async () => {
    const runDir = bare();
    const agent = new AgentProcess(runDir, '[agent]\nkernle = auto\n');
    expect(await agent.exitCode()).toBe(2);
    expect(agent.stderr).toContain('Did you mean kernel?');
    expect(remains(runDir)).toEqual(['astara.conf']);
  });

  test('a group that is not there', async () => {
    const runDir = bare();
    const agent = new AgentProcess(runDir, '[agent]\nsocket_group = at-agent-none\n');
    expect(await agent.exitCode()).toBe(2);
    expect(agent.stderr).toContain('[agent] socket_group: there is no group at-agent-none');
    expect(remains(runDir)).toEqual(['astara.conf']);
  });
});

/** Every init on this machine that has a directory below `runDir` on its /run. */
function initsBelow(runDir: string): number[] {
  const pids = readdirSync('/proc').filter((name) => commandLine(Number(name)).join(' ') === 'catatonit -P');
  const mounts = (pid: number) => readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  return pids
    .map(Number)
    .filter((pid) => readStat(pid)?.state !== 'Z' && mounts(pid).includes(runDir))
    .sort((a, b) => a - b);
}

/** Nothing here speaks netlink to it. */
const noNetns = {
  name: null,
  links: async () => [],
  addresses: async () => [],
  routes: async () => [],
  change: async () => undefined,
  sysctl: async () => undefined,
  readSysctl: async () => ({}),
  resolve: async () => undefined,
  proxies: async () => [],
  ping: async () => undefined,
  connectTcp: async () => undefined,
  askLocally: async () => undefined,
  nft: async () => undefined,
  nftList: async () => undefined,
  announce: async () => undefined,
  endConnections: async () => 0,
  listenTcp: async () => -1,
  endpoints: () => ({ local: '', remote: '' }),
  close: () => undefined,
};
