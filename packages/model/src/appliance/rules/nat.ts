import type { ApplianceConfig } from '../config.ts';
import type { FloatingIp } from '../nat.ts';
import { checkAddress, type Fail } from './fail.ts';

export function checkNat(config: ApplianceConfig, fail: Fail): void {
  checkFloatingIps(config.floating_ips, fail);
}

function checkFloatingIps(floatingIps: readonly FloatingIp[], fail: Fail): void {
  const seen = new Set<string>();
  floatingIps.forEach(({ floating_ip, fixed_ip }, index) => {
    const field = `/floating_ips/${index}`;
    // There are none of IPv6: an IPv6 address is reached without translation.
    const valid = checkAddress(floating_ip, `${field}/floating_ip`, 4, fail);
    checkAddress(fixed_ip, `${field}/fixed_ip`, 4, fail);
    if (valid && seen.has(floating_ip)) fail(`${field}/floating_ip`, `${floating_ip} is used twice`);
    seen.add(floating_ip);
  });
}
