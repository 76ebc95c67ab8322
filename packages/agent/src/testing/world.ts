import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { netnsName } from '@astara/model/instance.ts';
import { afterAll } from 'vitest';
import { netnsOfName, processesInNetns } from '../instances/proc.ts';

const runDirs: string[] = [];

// Registered with the file that imports this, so that it runs after all its tests, wherever they asked for a directory.
afterAll(() => {
  for (const dir of runDirs) {
    for (const id of instanceIds(dir)) removeByHand(id);
    rmSync(dir, { recursive: true, force: true });
  }
});

/** A run_dir of the test's own, removed at the end of the file with everything that is left in it. */
export function temporaryRunDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'at-agent-'));
  runDirs.push(dir);
  return dir;
}

export function instanceIds(runDir: string): string[] {
  try {
    return readdirSync(join(runDir, 'instances'));
  } catch {
    return [];
  }
}

/** What a failed test leaves, without any help of the code under test. */
export function removeByHand(id: string): void {
  const inode = netnsOfName(netnsName(id));
  if (inode === undefined) return;
  for (const pid of processesInNetns(inode)) process.kill(pid, 'SIGKILL');
  execFileSync('ip', ['netns', 'delete', netnsName(id)]);
}

/** `ip` in an instance's network namespace, or on the host. */
export function ip(id: string | null, ...args: string[]): string {
  const where = id === null ? [] : ['-netns', netnsName(id)];
  return execFileSync('ip', [...where, ...args], { encoding: 'utf8' });
}

/** Pids of all processes of the machine whose command line has `text`. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false; // gone
      }
    });
}
