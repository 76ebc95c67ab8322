import { execFileSync } from 'node:child_process';
import { checkHost } from '@astara/agent/checks.ts';
import { isOnPath } from '@astara/appliance/programs.ts';

/** What the servers and the proofs need besides what the agent needs. Program → Debian package. */
const programs: Readonly<Record<string, string>> = { busybox: 'busybox', udhcpc: 'udhcpc', curl: 'curl' };

/** Everything that this machine lacks for real packets, in words, each with what to do. Empty: nothing. */
export function missingForPackets(): string[] {
  const agent = checkHost().map(({ message, remedy }) => `${message}. ${remedy}`);
  const others = Object.entries(programs)
    .filter(([program]) => !isOnPath(program))
    .map(([program, pkg]) => `${program} is not there. Install the package ${pkg}.`);
  const problems = [...agent, ...others];
  return problems.length > 0 ? problems : netnsProblem();
}

/** That we are root says nothing in a container or a chroot: making a namespace with a bridge in it does. */
function netnsProblem(): string[] {
  const netns = `astara-probe-${process.pid}`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  try {
    ip('netns', 'add', netns);
    try {
      ip('-n', netns, 'link', 'add', 'probe', 'type', 'bridge');
    } finally {
      ip('netns', 'delete', netns);
    }
    return [];
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    const reason = stderr?.toString().trim() || String(error);
    return [
      `network namespaces with bridges cannot be made here: ${reason}. Use a virtual machine, or a container with CAP_SYS_ADMIN and CAP_NET_ADMIN; a chroot must be a mount point (mount --bind DIR DIR).`,
    ];
  }
}
