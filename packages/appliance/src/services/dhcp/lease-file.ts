import { closeSync, constants, fchownSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { account, type Privileges } from '../../privileges.ts';
import { type LeaseLine, parseLeases, withoutLeases } from './leases.ts';

/** The file lies where dnsmasq may write, so that it is opened without following links. */

/** Empty when there is none. */
export function readLeaseFile(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** dnsmasq empties the file and writes it anew: while it runs, two looks some time apart must see the same. */
export async function settledLeaseFile(path: string, running: () => boolean): Promise<string> {
  let text = readLeaseFile(path);
  for (let tries = 0; running() && tries < 10; tries += 1) {
    await setTimeout(2);
    const again = readLeaseFile(path);
    if (again === text) break;
    text = again;
  }
  return text;
}

/** Takes leases out while dnsmasq does not run. */
export function dropLeases(
  path: string,
  owner: Privileges,
  stale: (leases: readonly LeaseLine[]) => LeaseLine[],
): void {
  const text = readLeaseFile(path);
  const gone = stale(parseLeases(text));
  if (gone.length === 0) return;
  const made = `${path}.new`;
  rmSync(made, { force: true });
  // Fails when there is something of that name again.
  const fd = openSync(made, 'wx', 0o640);
  try {
    writeFileSync(fd, withoutLeases(text, gone));
    const { uid, gid } = account(owner.user ?? 'root', owner.group);
    fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
  renameSync(made, path);
}
