import { readdirSync, readFileSync } from 'node:fs';

/** Proportional set size in MiB: memory shared between processes is counted once. A process that is gone counts nothing. */
export function pss(pids: Iterable<number>): number {
  let kib = 0;
  for (const pid of new Set(pids)) {
    try {
      kib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // ended meanwhile, or a kernel thread
    }
  }
  return kib / 1024;
}

/** Processes of a session (setsid): what a daemon started and did not detach. */
export function session(leader: number): number[] {
  return processes().filter((pid) => sessionOf(pid) === leader);
}

export function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Session id: the 6th field of proc_pid_stat(5), the 4th after the command, which may hold blanks and brackets. */
function sessionOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
  } catch {
    return Number.NaN;
  }
}
