import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isNamespaceFile, NETNS_DIR } from '@astara/kernel/netns-dir.ts';

/**
 * Reads of /proc. They take microseconds and never wait for a disk, so they are synchronous; a process that has just gone
 * reads as `undefined` or an empty list.
 */

export interface ProcStat {
  /** One letter, proc(5): `Z` and `X` are dead. */
  readonly state: string;
  /** Clock ticks since boot. Together with the pid it names one process of this boot. */
  readonly startTime: number;
}

export function readStat(pid: number): ProcStat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything, so count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTime = Number(fields[19]);
  return state === undefined || Number.isNaN(startTime) ? undefined : { state, startTime };
}

/** A zombie is dead: nothing of it runs, it only waits for its parent. */
export function isRunning(pid: number, startTime: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && stat.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/**
 * Pids of the children, as this process sees them (kernel: CONFIG_PROC_CHILDREN). The file may skip a child when
 * another one ends during the read, so two reads are joined.
 */
export function children(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const pids = `${read(path) ?? ''} ${read(path) ?? ''}`.split(' ').filter((text) => text.trim() !== '');
  return [...new Set(pids.map(Number))];
}

/** All processes below `pid`, without it. */
export function descendants(pid: number): number[] {
  const direct = children(pid);
  return direct.flatMap((child) => [child, ...descendants(child)]);
}

/** Empty for a zombie or a process that is gone. */
export function commandLine(pid: number): string[] {
  const text = read(`/proc/${pid}/cmdline`) ?? '';
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

/** Pid of the process inside its own (innermost) pid namespace. */
export function innerPid(pid: number): number | undefined {
  const line = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  const last = line?.trim().split(/\s+/).at(-1);
  return last === undefined ? undefined : Number(last);
}

/** Inode of the network namespace a process is in. */
export function netnsOfProcess(pid: number): number | undefined {
  try {
    const target = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
    return target === undefined ? undefined : Number(target);
  } catch {
    return undefined; // gone, or a zombie: it has no namespaces any more
  }
}

/** Inode of a named network namespace; undefined when the name is absent or nothing is mounted on it. */
export function netnsOfName(name: string): number | undefined {
  const path = `${NETNS_DIR}/${name}`;
  return isNamespaceFile(path) ? statSync(path, { throwIfNoEntry: false })?.ino : undefined;
}

/** All processes in the network namespace with this inode, whoever started them. Reads all of /proc: not for hot paths. */
export function processesInNetns(inode: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => netnsOfProcess(pid) === inode);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // every reason (ENOENT, ESRCH) means that the process is gone
  }
}
