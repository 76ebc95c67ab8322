import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tapName } from '@astara/model/instance.ts';
import { expect, test } from 'vitest';
import { until } from '../poll.ts';
import { attachment } from '../testing/fixtures.ts';
import { plugConformance } from './conformance.ts';
import { OvsPlug } from './ovs.ts';

/** Open vSwitch of the test's own, with its datapath in user space: this kernel has none. */
async function startOvs() {
  const dir = mkdtempSync(join(tmpdir(), 'at-agent-ovs-'));
  const bridge = `atag-${randomBytes(4).toString('hex')}`;
  const db = `unix:${join(dir, 'db.sock')}`;
  const vsctl = (...args: string[]) =>
    execFileSync('ovs-vsctl', ['--timeout=20', `--db=${db}`, ...args], { encoding: 'utf8' });
  const env = { ...process.env, OVS_RUNDIR: dir, OVS_LOGDIR: dir };
  const start = (program: string, ...args: string[]) => spawn(program, args, { env, stdio: 'ignore' });
  const daemons: ChildProcess[] = [];
  const remove = async () => {
    if (daemons.length > 1) vsctl('--if-exists', 'del-br', bridge);
    for (const daemon of daemons.toReversed()) {
      daemon.kill('SIGKILL');
      if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    execFileSync('ovsdb-tool', ['create', join(dir, 'conf.db'), '/usr/share/openvswitch/vswitch.ovsschema']);
    const remote = `--remote=p${db}`;
    daemons.push(start('ovsdb-server', join(dir, 'conf.db'), remote, `--unixctl=${join(dir, 'ovsdb.ctl')}`));
    expect(await until(() => existsSync(join(dir, 'db.sock')), 10_000)).toBe(true);
    vsctl('--no-wait', 'init');
    daemons.push(start('ovs-vswitchd', db, `--unixctl=${join(dir, 'vswitchd.ctl')}`));
    vsctl('add-br', bridge, '--', 'set', 'Bridge', bridge, 'datapath_type=netdev');
  } catch (cause) {
    await remove();
    throw cause;
  }
  return { dir, bridge, db, vsctl, remove };
}

plugConformance('ovs', async () => {
  const { dir, bridge, db, vsctl, remove } = await startOvs();
  return {
    kind: 'ovs',
    plug: new OvsPlug({ bridge, db, owner: dir }),
    agentSees: () => undefined,
    wired: (id) => {
      const names = vsctl('--bare', '--columns=name', 'find', 'Interface', `external_ids:astara-instance=${id}`);
      return names.split('\n').filter((line) => line !== '');
    },
    remove,
  };
});

test('ports carry what neutron-openvswitch-agent and OVN know them by', async () => {
  const ovs = await startOvs();
  try {
    const plug = new OvsPlug({ bridge: ovs.bridge, db: ovs.db, owner: ovs.dir });
    const port = attachment({ plug: 'ovs' });
    const tap = tapName(port.port_id);
    execFileSync('ip', ['link', 'add', tap, 'type', 'veth', 'peer', 'name', `p${tap.slice(1)}`]);
    try {
      await plug.wire('at-agent-x', [port]);
      const get = (key: string) => ovs.vsctl('get', 'Interface', tap, `external_ids:${key}`).trim().replaceAll('"', '');
      expect(get('iface-id')).toBe(port.port_id);
      expect(get('iface-status')).toBe('active');
      expect(get('attached-mac')).toBe(port.mac_address);
      expect(ovs.vsctl('port-to-br', tap).trim()).toBe(ovs.bridge);
    } finally {
      execFileSync('ip', ['link', 'delete', tap]);
    }
  } finally {
    await ovs.remove();
  }
});

test('an Open vSwitch that does not answer is named as the cause', async () => {
  const plug = new OvsPlug({ bridge: 'br-int', db: 'unix:/nonexistent/db.sock', owner: 'x' });
  await expect(plug.wire('at-agent-x', [attachment()])).rejects.toMatchObject({
    code: 'AGENT_OVS_FAILED',
    retry: 'retry',
  });
});
