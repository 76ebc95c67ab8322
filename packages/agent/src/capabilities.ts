import type { Capability } from '@astara/appliance/capabilities.ts';

/** What the agent does that not every root may; it gives up everything else at its start (`bin/astara-agent.mjs`). */
export const agentCapabilities = [
  // Files and sockets of a group, directories of daemons; answers from sockets that are theirs.
  'chown',
  'dac_override',
  'kill',
  // setpriv for daemons, and what daemons get.
  'setgid',
  'setuid',
  'setpcap',
  'net_bind_service',
  'net_admin',
  'net_raw',
  'sys_nice',
  // Namespaces: to make and to enter them, and to see whose a process is.
  'sys_chroot',
  'sys_ptrace',
  'sys_admin',
] as const satisfies readonly Capability[];
