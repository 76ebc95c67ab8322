import { ipVersion } from '@astara/model/ip.ts';
import { Fault, invalidAttribute } from '../api/fault.ts';
import { exactKeys, ipAddress, isObject, quote } from '../api/parse.ts';
import type { SubnetRow } from '../store/rows.ts';
import { hostsOf, overlap, type Range, toAddress, toNumber, within } from './address.ts';

type Pool = SubnetRow['allocation_pools'][number];

/** One of `allocation_pools`. */
export function pool(value: unknown, name: string): Pool {
  if (!isObject(value)) throw invalidAttribute(name, `Invalid data format for IP pool: ${quote(value)}`);
  exactKeys(value, name, ['end', 'start']);
  return { start: ipAddress(value.start, name), end: ipAddress(value.end, name) };
}

/** All hosts but the gateway. */
export function defaultPools(cidr: string, version: 4 | 6, gateway: string | null): Pool[] {
  const hosts = hostsOf(cidr);
  const number = gateway === null || ipVersion(gateway) !== version ? undefined : toNumber(gateway);
  // A subnet of one address keeps it: there is nothing else to give.
  const parts =
    number === undefined || !within(hosts, number) || hosts.first === hosts.last
      ? [hosts]
      : [
          { first: hosts.first, last: number - 1n },
          { first: number + 1n, last: hosts.last },
        ];
  return parts
    .filter(({ first, last }) => first <= last)
    .map(({ first, last }) => ({ start: toAddress(first, version), end: toAddress(last, version) }));
}

/** The pools lie in the subnet, apart from each other, and the gateway in none of them. */
export function checkPools(subnet: SubnetRow): void {
  const { allocation_pools: pools, cidr, ip_version: version, gateway_ip: gateway } = subnet;
  const hosts = hostsOf(cidr);
  const ranges = pools.map((one) => {
    const range = rangeIn(one, version);
    if (range.first >= hosts.first && range.last <= hosts.last) return range;
    const message = `The allocation pool ${show(one)} spans beyond the subnet cidr ${cidr}.`;
    throw new Fault(400, 'OutOfBoundsAllocationPool', message);
  });
  for (const [at, range] of ranges.entries()) {
    const other = ranges.findIndex((one, index) => index > at && overlap(one, range));
    if (other < 0) continue;
    const both = [pools[at], pools[other]].flatMap((one) => (one === undefined ? [] : [show(one)])).join(' ');
    throw new Fault(
      409,
      'OverlappingAllocationPools',
      `Found overlapping allocation pools: ${both} for subnet ${cidr}.`,
    );
  }
  // A subnet of one address has it both for its gateway and to give.
  if (gateway === null || ipVersion(gateway) !== version || hosts.first === hosts.last) return;
  const holder = pools[ranges.findIndex((range) => within(range, toNumber(gateway)))];
  if (holder === undefined) return;
  const message = `Gateway ip ${gateway} conflicts with allocation pool ${show(holder)}.`;
  throw new Fault(409, 'GatewayConflictWithAllocationPools', message);
}

const show = ({ start, end }: Pool) => `${start}-${end}`;

function rangeIn(one: Pool, version: 4 | 6): Range {
  if (ipVersion(one.start) !== version || ipVersion(one.end) !== version) throw invalidPool(show(one));
  const range = { first: toNumber(one.start), last: toNumber(one.end) };
  if (range.first > range.last) throw invalidPool(quote({ start: one.start, end: one.end }));
  return range;
}

const invalidPool = (shown: string) =>
  new Fault(400, 'InvalidAllocationPool', `The allocation pool ${shown} is not valid.`);
