import { readFileSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { type Capability, onlyCapabilities } from './capabilities.ts';
import { errors } from './errors.ts';

/** As whom a daemon runs, and the most that it and its children may ever do. */
export interface Privileges {
  /** Name of a local user. Default: root, for programs that need to begin as root. */
  readonly user?: string;
  /** Name of a local group. Default: the user's own. */
  readonly group?: string;
  readonly capabilities: readonly Capability[];
}

/** Numbers of a local account. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * What goes before the arguments of a program: setpriv(1) of util-linux, which gives up everything else and then becomes the
 * program, so that pid and argv[0] are the program's own. Whatever the program does afterwards, also by a set-user-id file, the
 * bounding set and `no_new_privs` hold. Throws APPLIANCE_USER_MISSING.
 */
export function privilegePrefix(privileges: Privileges): readonly string[] {
  const only = onlyCapabilities(privileges.capabilities);
  if (privileges.user === undefined) {
    // Root gets by exec what the bounding set leaves; inheritable sets are for others.
    const group = privileges.group === undefined ? 0 : groupNumber(privileges.group);
    return ['setpriv', `--regid=${group}`, '--clear-groups', `--bounding-set=${only}`, '--inh-caps=-all', nnp];
  }
  const { uid, gid } = account(privileges.user, privileges.group);
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    `--bounding-set=${only}`,
    `--inh-caps=${only}`,
    `--ambient-caps=${only}`,
    nnp,
  ];
}

const nnp = '--no-new-privs';

/**
 * Looks a local user up: Debian's packages make the users of their daemons in /etc/passwd. Files that a daemon writes belong to
 * it (`chown`). Throws APPLIANCE_USER_MISSING.
 */
export function account(user: string, group?: string): Account {
  const fields = entry('/etc/passwd', user);
  if (fields === undefined) throw errors.make('APPLIANCE_USER_MISSING', { kind: 'user', name: user });
  return { uid: Number(fields[2]), gid: group === undefined ? Number(fields[3]) : groupNumber(group) };
}

/**
 * Makes a directory in which the daemon may write: its sockets, pid and leases. What we write for it stays in a directory of
 * root's, which it can only read; a program that has been taken over must not lead us by a link.
 */
export async function giveDirectory(path: string, { user = 'root', group }: Privileges): Promise<void> {
  const { uid, gid } = account(user, group);
  await mkdir(path, { recursive: true, mode: 0o750 });
  await chown(path, uid, gid);
}

function groupNumber(group: string): number {
  const fields = entry('/etc/group', group);
  if (fields === undefined) throw errors.make('APPLIANCE_USER_MISSING', { kind: 'group', name: group });
  return Number(fields[2]);
}

/** Read each time: a package may have been installed since. */
function entry(file: string, name: string): readonly string[] | undefined {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  return line?.split(':');
}
