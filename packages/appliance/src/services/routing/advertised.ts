import { readIfPresent } from '../../state-file.ts';

/**
 * How many router advertisements (ICMPv6 type 134) have left by an interface, as the kernel of the process `pid` counts them;
 * undefined when the interface is not there.
 */
export function advertisementsSent(pid: number, ifname: string): number | undefined {
  const text = readIfPresent(`/proc/${pid}/net/dev_snmp6/${ifname}`);
  if (text === undefined) return undefined;
  return Number(/^Icmp6OutType134\s+(\d+)$/m.exec(text)?.[1] ?? 0);
}
