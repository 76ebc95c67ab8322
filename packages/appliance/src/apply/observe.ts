import type { Netns } from '@astara/kernel/contract.ts';
import { observeFirewall } from '../services/firewall/observe.ts';
import { observeLinks } from '../services/link/observe.ts';
import { type State, unknown } from './state.ts';

/** What is really there. Of daemons it is only known that they may run. `known`: addresses that count as ours, by key. */
export async function observe(netns: Netns, known: ReadonlySet<string>): Promise<State> {
  const [links, firewall] = await Promise.all([observeLinks(netns, known), observeFirewall(netns)]);
  return Object.freeze({ links, firewall, dhcp: unknown, ra: unknown, metadata: unknown });
}
