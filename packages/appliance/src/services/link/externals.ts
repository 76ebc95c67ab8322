import type { Network } from '@astara/model/appliance/network.ts';
import { PrefixTable } from '../../prefix-table.ts';

/** Finds the external network that an address belongs to: the one whose subnet holds it, or else the first. For many addresses. */
export function externalFinder(networks: readonly Network[]): (address: string) => Network | undefined {
  const externals = networks.filter((network) => network.network_type === 'external');
  const [first] = externals;
  if (externals.length < 2) return () => first;
  const table = new PrefixTable<Network>();
  for (const network of externals) for (const cidr of network.interface.addresses) table.add(cidr, network);
  return (address) => table.find(address) ?? first;
}
