import { writeFile } from 'node:fs/promises';
import { kill } from 'node:process';
import { runProgram } from '@astara/appliance/run-program.ts';
import { NETNS_DIR } from '@astara/kernel/netns-dir.ts';
import { netnsName } from '@astara/model/instance.ts';
import { errors } from '../errors.ts';
import { until } from '../poll.ts';
import type { InstancePaths } from './paths.ts';
import { isRunning, netnsOfName, netnsOfProcess, readStat } from './proc.ts';
import type { InitRef } from './record.ts';

/**
 * The init of an instance: `catatonit -P` as pid 1 of a new pid and mount namespace, in the instance's network namespace.
 * It reaps what it adopts and does nothing else. When it dies the kernel ends everything in the instance.
 */

/**
 * `unshare --pid` without `--fork` moves only later children: this shell stays outside and its one child is pid 1 inside. So no
 * helper lingers. Everything that must fork (umount, mount) therefore runs in that child, which becomes catatonit at the end.
 * The copy of /run/netns is dropped, or every instance would hold the namespaces of all others.
 */
const script = `
{
  umount -n -l /run/netns 2>/dev/null
  mount -n -a -T "$1" && echo ready && exec catatonit -P </dev/null >/dev/null 2>&1
} &
echo "$!"
`;

const START_TIMEOUT = 10_000;

/** Starts it in the network namespace of the instance, with `<dir>/run` on /run. */
export async function startInit(id: string, paths: InstancePaths): Promise<InitRef> {
  const mounts = [
    'astara /proc proc nosuid,nodev,noexec 0 0',
    `${fstabEscape(paths.run)} /run none bind 0 0`,
    'astara /tmp tmpfs nosuid,nodev,size=16m,mode=1777 0 0',
    'astara /var/lib/misc tmpfs nosuid,nodev,size=16m,X-mount.mkdir 0 0',
  ];
  await writeFile(paths.fstab, `${mounts.join('\n')}\n`);
  const inside = ['unshare', '--mount', '--pid', 'sh', '-c', script, 'sh', paths.fstab];
  const result = await runProgram(['nsenter', `--net=${NETNS_DIR}/${netnsName(id)}`, ...inside], {
    timeout: START_TIMEOUT,
  });
  const [pid, ready] = parse(result.stdout);
  const stat = pid === undefined ? undefined : readStat(pid);
  if (result.status !== 0 || pid === undefined || !ready || stat === undefined) {
    if (pid !== undefined && stat !== undefined) await stopInit({ pid, start_time: stat.startTime });
    throw errors.make('AGENT_INIT_FAILED', { id, reason: result.stderr.trim() || result.problem });
  }
  return { pid, start_time: stat.startTime };
}

/** Ends it and, with it, every process of the instance. False if the kernel has not let it go within 5 s. */
export async function stopInit(init: InitRef): Promise<boolean> {
  if (!isRunning(init.pid, init.start_time)) return true;
  try {
    kill(init.pid, 'SIGKILL');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
  return until(() => !isRunning(init.pid, init.start_time), 5_000);
}

/** False from the moment it begins to end: it has left its namespaces then. */
export function isAlive(init: InitRef): boolean {
  return isRunning(init.pid, init.start_time) && netnsOfProcess(init.pid) !== undefined;
}

/** Whether the instance's namespaces are whole: its init lives in the network namespace that has its name. */
export function isWhole(id: string, init: InitRef): boolean {
  const netns = isRunning(init.pid, init.start_time) ? netnsOfName(netnsName(id)) : undefined;
  return netns !== undefined && netns === netnsOfProcess(init.pid);
}

/** The shell prints the pid, its child `ready`, in either order. */
function parse(stdout: string): [number | undefined, boolean] {
  const lines = stdout.split('\n');
  const pid = lines.find((line) => /^\d+$/.test(line));
  return [pid === undefined ? undefined : Number(pid), lines.includes('ready')];
}

/** fstab(5): fields end at white space. */
function fstabEscape(path: string): string {
  return path.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
