import type { FirewallElements } from '../firewall/state.ts';

/**
 * Addresses whose connections must end once the maps have changed: floating IPs that are gone or lead elsewhere, and external
 * addresses that internal hosts no longer leave with. Connections of what stays are never touched.
 */
export function planConntrack(before: FirewallElements, after: FirewallElements): string[] {
  const flush = new Set<string>();
  for (const [floating, fixed] of before.fip_in) if (after.fip_in.get(floating) !== fixed) flush.add(floating);
  const kept = new Set(after.snat_to.values());
  for (const address of before.snat_to.values()) if (!kept.has(address)) flush.add(address);
  return [...flush];
}
