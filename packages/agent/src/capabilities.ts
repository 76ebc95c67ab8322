import type { Capability } from '@astara/appliance/capabilities.ts';
import { machineCapabilities } from '@astara/appliance/standalone/capabilities.ts';

/** What the agent does that not every root may; it gives up everything else at its start (`bin/astara-agent.mjs`). */
export const agentCapabilities = [
  ...machineCapabilities,
  // Namespaces: to make and to enter them, and to see whose a process is.
  'sys_chroot',
  'sys_ptrace',
  'sys_admin',
] as const satisfies readonly Capability[];
