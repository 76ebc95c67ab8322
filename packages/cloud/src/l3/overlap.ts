import { contains, parseCidr } from '@astara/model/ip.ts';
import { gatewayOwner } from '../network/device-owners.ts';
import type { RouterRow, SubnetRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { badRequest } from './faults.ts';
import { attachedTo } from './router-ports.ts';

/** Whether one of two prefixes lies in the other. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parseCidr(one), parseCidr(other)];
  if (a === undefined || b === undefined) return false;
  return contains(one, b.address) || contains(other, a.address);
}

/** A router is on a subnet once at most, and its subnets do not overlap. A gateway counts with all subnets of its network. */
export function forbidOverlap(store: Store, router: RouterRow, wanted: readonly SubnetRow[]): void {
  const present: SubnetRow[] = [];
  for (const port of attachedTo(store, router)) {
    const again = port.fixed_ips.find((ip) => wanted.some((subnet) => subnet.id === ip.subnet_id));
    if (again !== undefined) throw badRequest('router', `Router already has a port on subnet ${again.subnet_id}`);
    if (port.device_owner === gatewayOwner) present.push(...store.subnets.by('network', port.network_id));
    else present.push(...port.fixed_ips.flatMap((ip) => store.subnets.get(ip.subnet_id) ?? []));
  }
  for (const there of present) {
    const clash = wanted.find((subnet) => overlaps(subnet.cidr, there.cidr));
    if (clash === undefined) continue;
    const reason = `Cidr ${clash.cidr} of subnet ${clash.id} overlaps with cidr ${there.cidr} of subnet ${there.id}`;
    throw badRequest('router', reason);
  }
}
