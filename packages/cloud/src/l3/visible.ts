import type { Context } from '../api/resource.ts';
import { subnetNotFound } from '../network/faults.ts';
import type { PortRow, SubnetRow } from '../store/rows.ts';
import { portNotFound } from './faults.ts';

/** What a request names must be there for the caller: what it may not see does not exist for it. */

export function visibleSubnet({ store, caller }: Context, id: string): SubnetRow {
  const subnet = store.subnets.get(id);
  const network = store.networks.get(subnet?.network_id ?? '');
  const open = network?.shared === true || subnet?.project_id === caller.projectId;
  if (subnet === undefined || !(caller.isAdmin || open)) throw subnetNotFound(id);
  return subnet;
}

/** A port is its owner's, and that of the owner of its network. */
export function visiblePort({ store, caller }: Context, id: string): PortRow {
  const port = store.ports.get(id);
  const network = store.networks.get(port?.network_id ?? '');
  const own = port?.project_id === caller.projectId || network?.project_id === caller.projectId;
  if (port === undefined || !(caller.isAdmin || own)) throw portNotFound(id);
  return port;
}
