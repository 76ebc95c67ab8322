import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { AstaraError } from '@astara/model/error.ts';
import { errors } from './errors.ts';

/** Program → Debian package. What is started by name, by the agent or by the services of its appliances. */
const programs: Readonly<Record<string, string>> = {
  nsenter: 'util-linux',
  unshare: 'util-linux',
  setsid: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  ip: 'iproute2',
  nft: 'nftables',
  catatonit: 'catatonit',
  dnsmasq: 'dnsmasq-base',
  bird: 'bird2',
  ping: 'iputils-ping',
};

/** Bits of the effective set in /proc/self/status, by capability(7). */
const capabilities: Readonly<Record<string, bigint>> = {
  CAP_KILL: 5n,
  CAP_NET_ADMIN: 12n,
  CAP_NET_RAW: 13n,
  CAP_SYS_PTRACE: 19n,
  CAP_SYS_ADMIN: 21n,
};

/** Where programs are looked for, here and when they are started. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Everything that keeps the agent from working on this host. Starts nothing. */
export function checkHost(path: string = PROGRAM_PATH, status: string = ownStatus()): AstaraError[] {
  const problems: AstaraError[] = [];
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const missing = Object.entries(capabilities)
    .filter(([, bit]) => ((effective >> bit) & 1n) === 0n)
    .map(([name]) => name);
  if (missing.length > 0) problems.push(errors.make('AGENT_NOT_ROOT', { missing: missing.join(', ') }));
  for (const [program, pkg] of Object.entries(programs)) {
    if (!isOnPath(program, path)) problems.push(errors.make('AGENT_PROGRAM_MISSING', { program, package: pkg }));
  }
  if (!existsSync(`/proc/self/task/${process.pid}/children`)) problems.push(errors.make('AGENT_KERNEL_TOO_OLD'));
  return problems;
}

export function isOnPath(program: string, path: string = PROGRAM_PATH): boolean {
  return path.split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false; // for whatever reason: it cannot be started from there
    }
  });
}

function ownStatus(): string {
  return readFileSync('/proc/self/status', 'utf8');
}
