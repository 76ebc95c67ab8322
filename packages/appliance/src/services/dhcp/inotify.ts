import { readFileSync, writeFileSync } from 'node:fs';
import type { Log } from '../../log.ts';

const LIMIT = '/proc/sys/fs/inotify/max_user_instances';
/** Each dnsmasq has one, all of them run as one user, and the kernel's default for a user is 128. */
const WANTED = 16_384;

let looked = false;

/** Lets a host have more than 64 served networks. Once per process; a machine on which it may not be done says so in the log. */
export function raiseInotifyLimit(log: Log): void {
  if (looked) return;
  looked = true;
  try {
    if (Number(readFileSync(LIMIT, 'utf8')) < WANTED) writeFileSync(LIMIT, `${WANTED}`);
  } catch (error) {
    log.warn(
      { err: error, limit: LIMIT },
      'the limit of inotify instances stays: it is that of dnsmasqs on this machine',
    );
  }
}
