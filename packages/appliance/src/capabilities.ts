/**
 * capability(7), without the prefix, as setpriv(1) wants them → bit in the sets of /proc/PID/status. What the data plane's
 * daemons and the programs that start them have use for.
 */
export const capabilityBits = {
  chown: 0n,
  dac_override: 1n,
  fowner: 3n,
  kill: 5n,
  setgid: 6n,
  setuid: 7n,
  setpcap: 8n,
  net_bind_service: 10n,
  net_admin: 12n,
  net_raw: 13n,
  ipc_lock: 14n,
  sys_chroot: 18n,
  sys_ptrace: 19n,
  sys_admin: 21n,
  sys_nice: 23n,
  sys_resource: 24n,
} as const;
export type Capability = keyof typeof capabilityBits;

export function capabilityMask(capabilities: readonly Capability[]): bigint {
  return capabilities.reduce((mask, name) => mask | (1n << capabilityBits[name]), 0n);
}

/** The sets of a process or thread; `status` is the text of /proc/PID/status, proc(5). */
export function capabilitySets(status: string): { readonly effective: bigint; readonly bounding: bigint } {
  const set = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return { effective: set('CapEff'), bounding: set('CapBnd') };
}

/** As people know them, such as `CAP_NET_ADMIN`: those that are not in `effective`. */
export function missingCapabilities(capabilities: readonly Capability[], effective: bigint): string[] {
  return capabilities
    .filter((name) => ((effective >> capabilityBits[name]) & 1n) === 0n)
    .map((name) => `CAP_${name.toUpperCase()}`);
}

/** For `setpriv --bounding-set` and its like: these and no others. */
export function onlyCapabilities(capabilities: readonly Capability[]): string {
  return ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
}
