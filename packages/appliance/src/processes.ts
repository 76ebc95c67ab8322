import { readFileSync } from 'node:fs';

/** When a process started, in clock ticks since boot: with its pid it names a process for good. Undefined when it is gone or a zombie. */
export function startTime(pid: number): string | undefined {
  return fieldsOf(pid)?.[19];
}

/** The pid of its parent; undefined when it is gone or a zombie. */
export function parentOf(pid: number): number | undefined {
  const parent = fieldsOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** proc_pid_stat(5), from the third field on; undefined when it is gone or a zombie. */
function fieldsOf(pid: number): readonly string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === 'Z' || state === 'X' ? undefined : fields;
}

/** False when it was gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  // kill(2): 0 and below mean groups of processes, -1 everybody.
  if (!(pid > 1)) throw new TypeError(`not a process: ${pid}`);
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Asks every few milliseconds until `condition` holds; false after `timeout` ms. */
export async function until(condition: () => boolean | Promise<boolean>, timeout: number): Promise<boolean> {
  const deadline = performance.now() + timeout;
  let pause = 1;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, pause);
    await promise;
    pause = Math.min(pause * 1.5, 20);
  }
  return true;
}
