import type { Capability } from '../capabilities.ts';

/** What `astara-appliance` needs; it gives up everything else at its start. No namespaces are made or entered: a machine is one. */
export const machineCapabilities = [
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
] as const satisfies readonly Capability[];
