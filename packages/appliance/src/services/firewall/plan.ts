import { renderChange, renderTable } from './render.ts';
import type { FirewallState } from './state.ts';

/** One nft script that leads from one state to the other; empty when they are equal. */
export function planFirewall(before: FirewallState, after: FirewallState): string {
  if (!after.table) return before.table ? 'delete table inet astara\n' : '';
  return before.table ? renderChange(before.elements, after.elements) : renderTable(after.elements);
}
