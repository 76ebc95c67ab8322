import { readFileSync } from 'node:fs';
import type { AstaraError } from '@astara/model/error.ts';
import { capabilitySets, missingCapabilities } from '../capabilities.ts';
import { errors } from '../errors.ts';
import { isOnPath } from '../programs.ts';
import { machineCapabilities } from './capabilities.ts';

/** Program → Debian package: what every appliance needs. Daemons of single services are asked for when they are configured. */
const programs: Readonly<Record<string, string>> = {
  setpriv: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  dnsmasq: 'dnsmasq-base',
  bird: 'bird2',
};

/** Everything that keeps the appliance from working on this machine. Starts nothing. */
export function checkHost(): AstaraError[] {
  const { effective } = capabilitySets(readFileSync('/proc/self/status', 'latin1'));
  const missing = missingCapabilities(machineCapabilities, effective);
  return [
    ...(missing.length === 0 ? [] : [errors.make('MACHINE_NOT_ROOT', { missing: missing.join(', ') })]),
    ...Object.entries(programs)
      .filter(([program]) => !isOnPath(program))
      .map(([program, pkg]) => errors.make('MACHINE_PROGRAM_MISSING', { program, package: pkg })),
  ];
}
