import { existsSync, readFileSync } from 'node:fs';
import { capabilitySets, missingCapabilities } from '@astara/appliance/capabilities.ts';
import { isOnPath, PROGRAM_PATH } from '@astara/appliance/programs.ts';
import type { AstaraError } from '@astara/model/error.ts';
import { agentCapabilities } from './capabilities.ts';
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

/** Everything that keeps the agent from working on this host. Starts nothing. */
export function checkHost(path: string = PROGRAM_PATH, status: string = ownStatus()): AstaraError[] {
  const problems: AstaraError[] = [];
  const missing = missingCapabilities(agentCapabilities, capabilitySets(status).effective);
  if (missing.length > 0) problems.push(errors.make('AGENT_NOT_ROOT', { missing: missing.join(', ') }));
  for (const [program, pkg] of Object.entries(programs)) {
    if (!isOnPath(program, path)) problems.push(errors.make('AGENT_PROGRAM_MISSING', { program, package: pkg }));
  }
  if (!existsSync(`/proc/self/task/${process.pid}/children`)) problems.push(errors.make('AGENT_KERNEL_TOO_OLD'));
  return problems;
}

function ownStatus(): string {
  return readFileSync('/proc/self/status', 'utf8');
}
