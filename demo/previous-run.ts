import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../e2e/lib/wait.ts';

/**
 * A demo that was killed leaves its agent behind, and what that made. The agent is ended here, by the pid that the demo noted;
 * what it made is adopted by the next agent, and removed because nobody asks for it.
 */
export async function endPreviousRun(dir: string): Promise<void> {
  const demo = notedProcess(dir, 'demo');
  if (demo !== undefined && demo !== process.pid)
    throw new Error(`a demo runs already (pid ${demo}); end it with Ctrl-C`);
  const agent = notedProcess(dir, 'agent');
  if (agent === undefined) return;
  process.kill(agent, 'SIGTERM');
  await waitFor('the agent of a killed demo to end', () => notedProcess(dir, 'agent') === undefined);
}

export function noteProcess(dir: string, name: 'demo' | 'agent', pid: number): void {
  writeFileSync(join(dir, `${name}.pid`), `${pid}\n`);
}

/** The pid, if that process still is what was noted: the kernel gives a number again to somebody else. */
function notedProcess(dir: string, name: 'demo' | 'agent'): number | undefined {
  const file = join(dir, `${name}.pid`);
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  const words = name === 'demo' ? ['demo/main.ts'] : ['astara-agent.mjs', join(dir, 'astara.conf')];
  const command = commandLine(pid);
  return words.every((word) => command.includes(word)) ? pid : undefined;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended
  }
}
