import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { kill } from 'node:process';
import { netnsName, type PlugKind, tapName } from '@astara/model/instance.ts';
import { errors } from '../errors.ts';
import { unwire } from '../plugging/converge.ts';
import { readTap } from '../plugging/tap.ts';
import { until } from '../poll.ts';
import type { Host } from './host.ts';
import { stopInit } from './init.ts';
import { instancePaths } from './paths.ts';
import { netnsOfName, netnsOfProcess, processesInNetns } from './proc.ts';
import type { InstanceRecord } from './record.ts';

const PROCESSES_TIMEOUT = 5_000;
const TAPS_PATIENCE = 1_000;

/**
 * Removes whatever there is of an instance: whole, half-made or half-removed. Its directory goes last, so that a kill in the
 * middle is made good by the next start. Rejects with AGENT_DESTROY_INCOMPLETE when something stays.
 */
export async function removeInstance(host: Host, id: string, record: InstanceRecord | undefined): Promise<void> {
  const attachments = record?.spec.attachments ?? [];
  const init = record?.init ?? null;
  const taps = await tapsInto(
    host,
    id,
    attachments.map((attachment) => tapName(attachment.port_id)),
  );

  if (init !== null && !(await stopInit(init))) throw incomplete(id, `init, pid ${init.pid}`);
  // The init of a ready instance is known, and with it all that runs inside.
  if (!(await removeNetns(host, id, { endProcesses: record?.phase !== 'ready' }))) throw incomplete(id, 'processes');
  await unwire(id, host.plugs, new Set<PlugKind>(attachments.map((attachment) => attachment.plug)));

  // The kernel takes the veths down with the namespace: many in one go, and without us waiting in a system call.
  const allGone = () => taps.every((name) => readTap(name) === undefined);
  if (!(await until(allGone, TAPS_PATIENCE))) {
    await host.netns.change(taps.map((ifname) => ({ op: 'link-delete', ifname }) as const));
  }
  await rm(instancePaths(host.runDir, id).dir, { recursive: true, force: true });
}

/** Those of the named taps whose other end is in the instance. */
async function tapsInto(host: Host, id: string, names: readonly string[]): Promise<string[]> {
  if (names.length === 0 || netnsOfName(netnsName(id)) === undefined) return [];
  const netns = await host.kernel.open(netnsName(id));
  try {
    const indexes = new Set((await netns.links()).map((link) => link.index));
    return names.filter((name) => indexes.has(readTap(name)?.peer ?? 0));
  } finally {
    netns.close();
  }
}

/** False when processes in it outlive SIGKILL. */
async function removeNetns(host: Host, id: string, options: { endProcesses: boolean }): Promise<boolean> {
  const name = netnsName(id);
  const inode = netnsOfName(name);
  if (inode === undefined || inode === netnsOfProcess(process.pid) || !options.endProcesses) {
    await host.kernel.deleteNetns(name);
    return true;
  }
  // Held open, because the kernel gives the inode number of a freed namespace to the next one.
  const fd = openSync(`/run/netns/${name}`, 'r');
  try {
    // No name, no new entrants; then whoever is in there without our knowing it, such as an init that was never recorded.
    await host.kernel.deleteNetns(name);
    return await until(() => endProcessesIn(inode), PROCESSES_TIMEOUT);
  } finally {
    closeSync(fd);
  }
}

function endProcessesIn(inode: number): boolean {
  const pids = processesInNetns(inode);
  for (const pid of pids) {
    try {
      kill(pid, 'SIGKILL');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
    }
  }
  return pids.length === 0;
}

function incomplete(id: string, left: string) {
  return errors.make('AGENT_DESTROY_INCOMPLETE', { id, left });
}
