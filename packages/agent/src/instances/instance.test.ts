import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { netnsName, tapName } from '@astara/model/instance.ts';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { readTap } from '../plugging/tap.ts';
import { until } from '../poll.ts';
import { attachment, spec, uniqueId } from '../testing/fixtures.ts';
import { testHost } from '../testing/host.ts';
import { ip } from '../testing/world.ts';
import type { Host } from './host.ts';
import { Instance } from './instance.ts';
import { commandLine, innerPid, netnsOfName, netnsOfProcess, processesInNetns } from './proc.ts';
import { readRecord } from './record.ts';

let host: Host;
beforeAll(async () => {
  host = await testHost();
});

function inside(instance: Instance, ...argv: string[]): string {
  const flags = [`--target=${instance.init.pid}`, '--net', '--mount', '--pid', '--root', '--wd', '--'];
  return execFileSync('nsenter', [...flags, ...argv], { encoding: 'utf8' });
}

test('an instance is an init in namespaces of its own, and nothing else', async () => {
  const instance = await Instance.create(host, uniqueId(), spec());
  try {
    const { pid } = instance.init;
    expect(innerPid(pid)).toBe(1);
    expect(commandLine(pid)).toEqual(['catatonit', '-P']);
    expect(netnsOfProcess(pid)).toBe(netnsOfName(netnsName(instance.id)));
    expect(netnsOfProcess(pid)).not.toBe(netnsOfProcess(process.pid));
    // No shell, nsenter or unshare stays behind.
    expect(processesInNetns(netnsOfProcess(pid) ?? 0)).toEqual([pid]);
    expect(instance.isWhole()).toBe(true);
    expect(ip(instance.id, '-o', 'link')).toMatch(/lo: <LOOPBACK,UP/);
    expect((await readRecord(instance.paths.record))?.init).toEqual(instance.init);
  } finally {
    await instance.destroy();
  }
});

test('its /run is its own directory; /proc, /tmp and /var/lib/misc are private', async () => {
  const instance = await Instance.create(host, uniqueId(), spec());
  try {
    writeFileSync(join(instance.paths.run, 'from-host'), 'x');
    expect(inside(instance, 'ls', '/run').split('\n')).toEqual(expect.arrayContaining(['from-host', 'log']));
    inside(instance, 'sh', '-c', 'touch /run/from-inside /tmp/at-agent-private /var/lib/misc/at-agent-private');
    expect(existsSync(join(instance.paths.run, 'from-inside'))).toBe(true);
    expect(existsSync('/tmp/at-agent-private')).toBe(false);
    expect(existsSync('/var/lib/misc/at-agent-private')).toBe(false);
    expect(inside(instance, 'sh', '-c', 'cat /proc/1/comm').trim()).toBe('catatonit');
    expect(inside(instance, 'cat', '/etc/resolv.conf')).toBe(readFileSync('/etc/resolv.conf', 'utf8'));
  } finally {
    await instance.destroy();
  }
});

test('an instance does not hold the namespaces of others', async () => {
  const first = await Instance.create(host, uniqueId(), spec());
  const second = await Instance.create(host, uniqueId(), spec());
  try {
    expect(readFileSync(`/proc/${second.init.pid}/mountinfo`, 'utf8')).not.toContain(netnsName(first.id));
  } finally {
    await first.destroy();
    await second.destroy();
  }
});

test('destroy leaves nothing', async () => {
  const before = { netns: ip(null, 'netns'), files: readdirSync(join(host.runDir, 'instances')) };
  const instance = await Instance.create(host, uniqueId(), spec());
  const attachments = [attachment(), attachment()];
  await instance.converge(spec(attachments));
  const home = await instance.home();
  const daemon = await home.spawnDaemon(['sleep', '1000']);
  const netns = netnsOfProcess(instance.init.pid) ?? 0;

  await instance.destroy();

  expect(processesInNetns(netns)).toEqual([]);
  expect(commandLine(daemon)).toEqual([]);
  expect(netnsOfName(netnsName(instance.id))).toBeUndefined();
  expect(ip(null, 'netns')).not.toContain(instance.id);
  expect(before.netns).not.toContain(instance.id);
  for (const { port_id } of attachments) expect(ip(null, '-o', 'link')).not.toContain(tapName(port_id));
  expect(readdirSync(join(host.runDir, 'instances'))).toEqual(before.files);
});

test('when its init is killed it is no longer whole, and takes its daemons along', async () => {
  const instance = await Instance.create(host, uniqueId(), spec());
  try {
    const home = await instance.home();
    const daemon = await home.spawnDaemon(['sleep', '1000']);
    process.kill(instance.init.pid, 'SIGKILL');
    expect(await until(() => !instance.isWhole(), 5_000)).toBe(true);
    expect(await until(() => commandLine(daemon).length === 0, 5_000)).toBe(true);
    expect(await home.processes()).toEqual([]);
    await expect(home.run(['true'])).rejects.toMatchObject({ code: 'AGENT_INSTANCE_DEAD' });
  } finally {
    await instance.destroy();
  }
});

test('from any attachments to any others, whatever somebody has broken meanwhile', async () => {
  const instance = await Instance.create(host, uniqueId(), spec());
  const ports = [attachment(), attachment(), attachment(), attachment()];
  const variant = fc.record({ mtu: fc.constantFrom(1300, 1450), ifname: fc.constantFrom('qr', 'qg') });
  const wanted = fc.tuple(...ports.map((port) => fc.option(variant).map((how) => ({ port, how }))));
  const step = fc.record({ wanted, broken: fc.constantFrom('nothing', 'tap', 'inside', 'mtu') });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 }), async (history) => {
        for (const { wanted: chosen, broken } of history) {
          const attachments = chosen.flatMap(({ port, how }) =>
            how === null ? [] : [{ ...port, mtu: how.mtu, ifname: `${how.ifname}-${port.port_id.slice(0, 11)}` }],
          );
          await instance.converge(spec(attachments));
          const [first] = attachments;
          if (first !== undefined) {
            const tap = tapName(first.port_id);
            if (broken === 'tap') ip(null, 'link', 'delete', tap);
            if (broken === 'inside') ip(instance.id, 'link', 'delete', first.ifname);
            if (broken === 'mtu') ip(null, 'link', 'set', tap, 'mtu', '1280', 'down');
          }
          await instance.converge(spec(attachments));
          const inside = JSON.parse(ip(instance.id, '-j', 'link', 'show', 'type', 'veth')) as { ifname?: string }[];
          const names = inside.flatMap(({ ifname }) => ifname ?? []);
          expect(names.sort()).toEqual(attachments.map(({ ifname }) => ifname).sort());
          for (const { port_id, mtu } of attachments)
            expect(readTap(tapName(port_id))).toMatchObject({ mtu, up: true });
          const plugged = ports.filter(({ port_id }) => readTap(tapName(port_id)) !== undefined);
          expect(plugged.length).toBe(attachments.length);
        }
      }),
      { numRuns: 10 },
    );
  } finally {
    await instance.destroy();
  }
}, 60_000);

test('an instance whose namespace lost its name is not whole', async () => {
  const instance = await Instance.create(host, uniqueId(), spec());
  ip(null, 'netns', 'delete', netnsName(instance.id));
  expect(instance.isWhole()).toBe(false);
  await instance.destroy();
  expect(existsSync(instance.paths.dir)).toBe(false);
});

test('a namespace that somebody else made is left alone', async () => {
  const id = uniqueId();
  ip(null, 'netns', 'add', netnsName(id));
  try {
    await expect(Instance.create(host, id, spec())).rejects.toMatchObject({ code: 'AGENT_NETNS_TAKEN' });
    expect(netnsOfName(netnsName(id))).toBeDefined();
  } finally {
    ip(null, 'netns', 'delete', netnsName(id));
  }
});
