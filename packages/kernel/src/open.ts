import { readFileSync } from 'node:fs';
import type { Kernel } from './contract.ts';
import { KernelError } from './errors.ts';
import { openIprouteKernel } from './iproute2/kernel.ts';
import { openNetlinkKernel } from './netlink/kernel.ts';

export type KernelChoice = 'auto' | Kernel['name'];

/** Bits of CapEff, capabilities(7). */
const CAPABILITIES = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_NET_RAW', 13n],
  ['CAP_SYS_ADMIN', 21n],
] as const;

/** What is done with it: `all` namespaces are made and entered, or only the process's `own` is used, without CAP_SYS_ADMIN. */
export type Reach = 'all' | 'own';

/**
 * The kernel in the way that `choice` names; `auto` takes netlink, and iproute2 where koffi or libnftables cannot be
 * loaded, and then tells `onFallback` why. Rejects with KERNEL_NOT_PERMITTED, KERNEL_LIBRARY_MISSING or
 * KERNEL_PROGRAM_MISSING.
 */
export async function openKernel(
  choice: KernelChoice,
  onFallback: (reason: unknown) => void = () => {},
  reach: Reach = 'all',
): Promise<Kernel> {
  checkCapabilities(undefined, reach);
  if (choice === 'iproute2') return openIprouteKernel();
  if (choice === 'netlink') return openNetlinkKernel();
  try {
    return await openNetlinkKernel();
  } catch (reason) {
    const kernel = openIprouteKernel();
    onFallback(reason);
    return kernel;
  }
}

/** Throws KERNEL_NOT_PERMITTED naming what is missing from `status`, which is the text of /proc/self/status. */
export function checkCapabilities(status = readFileSync('/proc/self/status', 'utf8'), reach: Reach = 'all'): void {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const needed = CAPABILITIES.filter(([name]) => reach === 'all' || name !== 'CAP_SYS_ADMIN');
  const missing = needed.filter(([, bit]) => ((effective >> bit) & 1n) === 0n).map(([name]) => name);
  if (missing.length === 0) return;
  const asked = { operation: 'open', object: 'the kernel' };
  throw new KernelError('KERNEL_NOT_PERMITTED', asked, 'EPERM', `: this process lacks ${missing.join(' and ')}`);
}
