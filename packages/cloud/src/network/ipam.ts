import { ipVersion } from '@astara/model/ip.ts';
import { Fault, invalidInput } from '../api/fault.ts';
import type { PortRow, SubnetRow } from '../store/rows.ts';
import { addressKey, type Store } from '../store/store.ts';
import { eui64, hostsOf, type Range, toAddress, toNumber, within } from './address.ts';
import { isInterface, isNetworks } from './device-owners.ts';
import { subnetNotFound } from './faults.ts';
import type { FixedIpRequest } from './fixed-ips.ts';

/** Whose addresses, as far as it matters which. */
export interface Holder {
  readonly network_id: string;
  readonly device_owner: string;
  readonly mac_address: string;
}

type FixedIp = PortRow['fixed_ips'][number];

/** Neutron's option max_fixed_ips_per_port does not count those of the network's own ports. */
const maxFixedIps = 5;

/** Hosts make their own address there, from their MAC. */
export function isAutomatic(subnet: SubnetRow): boolean {
  return subnet.ipv6_address_mode === 'slaac' || subnet.ipv6_address_mode === 'dhcpv6-stateless';
}

/** An address of each IP version that the network has, and one in each subnet where hosts make their own. */
export function allocateDefault(store: Store, holder: Holder): FixedIp[] {
  const subnets = store.subnets
    .by('network', holder.network_id)
    .filter(({ service_types: types }) => types.length === 0 || types.includes(holder.device_owner));
  const given = ([4, 6] as const).flatMap((version) => {
    const pool = subnets.filter((subnet) => subnet.ip_version === version && !isAutomatic(subnet));
    return pool.length === 0 ? [] : [takeFromAny(store, holder, pool, [])];
  });
  const own = subnets.filter((subnet) => isAutomatic(subnet) && !isInterface(holder.device_owner));
  return [...given, ...own.map((subnet) => automatic(store, holder, subnet, []))];
}

/** What is asked for. Of `held`, the addresses that the port has already, those are kept that fit. */
export function allocate(
  store: Store,
  holder: Holder,
  requests: readonly FixedIpRequest[],
  held: readonly FixedIp[] = [],
): FixedIp[] {
  if (requests.length > maxFixedIps && !isNetworks(holder.device_owner)) {
    throw invalidInput('Exceeded maximum amount of fixed ips per port');
  }
  const placed = requests.map((request) => place(store, holder, request));
  const named = placed.flatMap(({ subnet, address }) =>
    address === undefined ? [] : [claim(store, holder, subnet, address, held)],
  );
  const taken = [...named];
  return placed.map(({ subnet, address }) => {
    if (address !== undefined) {
      return { subnet_id: subnet.id, ip_address: address };
    }
    const kept = held.find((ip) => ip.subnet_id === subnet.id && !has(taken, ip));
    const chosen =
      kept ??
      (isAutomatic(subnet) && !isInterface(holder.device_owner)
        ? automatic(store, holder, subnet, [...taken, ...held])
        : takeFromAny(store, holder, [subnet], taken));
    taken.push(chosen);
    return chosen;
  });
}

/** The address that a host of this MAC has in the subnet. */
export function automatic(store: Store, holder: Holder, subnet: SubnetRow, mine: readonly FixedIp[]): FixedIp {
  const ip = { subnet_id: subnet.id, ip_address: eui64(subnet.cidr, holder.mac_address) };
  if (!has(mine, ip) && isTaken(store, ip)) throw alreadyAllocated(ip);
  return ip;
}

function isTaken(store: Store, { subnet_id, ip_address }: FixedIp): boolean {
  return store.ports.count('address', addressKey(subnet_id, ip_address)) > 0;
}

export const poolsOf = (subnet: SubnetRow): readonly Range[] => {
  const known = poolRanges.get(subnet);
  if (known !== undefined) return known;
  const ranges = subnet.allocation_pools.map(({ start, end }) => ({ first: toNumber(start), last: toNumber(end) }));
  poolRanges.set(subnet, ranges);
  return ranges;
};
const poolRanges = new WeakMap<SubnetRow, readonly Range[]>();

/**
 * Where the search for a free address begins, by subnet: behind the one that was given last, so that it is found at once however
 * many are given. Only a hint: what is free is what no port has.
 */
const hints = new WeakMap<Store, Map<string, bigint>>();

function take(store: Store, subnet: SubnetRow, mine: readonly FixedIp[]): FixedIp | undefined {
  const hint = hints.get(store) ?? new Map<string, bigint>();
  hints.set(store, hint);
  const from = hint.get(subnet.id) ?? 0n;
  const pools = poolsOf(subnet);
  // Behind the hint first, then from the beginning up to it.
  for (const number of numbers([...clip(pools, from), ...pools])) {
    const ip = { subnet_id: subnet.id, ip_address: toAddress(number, subnet.ip_version) };
    if (has(mine, ip) || isTaken(store, ip) || ip.ip_address === subnet.gateway_ip) continue;
    hint.set(subnet.id, number + 1n);
    return ip;
  }
  return undefined;
}

function* numbers(ranges: readonly Range[]): Generator<bigint> {
  for (const { first, last } of ranges) for (let number = first; number <= last; number += 1n) yield number;
}

const clip = (ranges: readonly Range[], from: bigint) =>
  ranges.filter((range) => range.last >= from).map(({ first, last }) => ({ first: first > from ? first : from, last }));

function takeFromAny(store: Store, holder: Holder, subnets: readonly SubnetRow[], mine: readonly FixedIp[]): FixedIp {
  for (const subnet of subnets) {
    const ip = take(store, subnet, mine);
    if (ip !== undefined) return ip;
  }
  throw new Fault(409, 'IpAddressGenerationFailure', `No more IP addresses available on network ${holder.network_id}.`);
}

/** The subnet that a request means, and the address, if it names one. */
function place(
  store: Store,
  holder: Holder,
  { subnet_id, ip_address }: FixedIpRequest,
): { readonly subnet: SubnetRow; readonly address: string | undefined } {
  const address = ip_address === undefined ? undefined : canonical(ip_address);
  if (subnet_id === undefined) {
    if (address === undefined) throw invalidInput('IP allocation requires subnet_id or ip_address');
    const subnet = store.subnets.by('network', holder.network_id).find((one) => mayHold(one, address));
    if (subnet !== undefined) return { subnet, address };
    const message = `IP address ${address} is not a valid IP for any of the subnets on the specified network.`;
    throw new Fault(400, 'InvalidIpForNetwork', message);
  }
  const subnet = store.subnets.get(subnet_id);
  if (subnet === undefined) throw subnetNotFound(subnet_id);
  if (subnet.network_id !== holder.network_id) {
    const reason = `Failed to create port on network ${holder.network_id}, because fixed_ips included invalid subnet ${subnet_id}`;
    throw invalidInput(reason);
  }
  if (address !== undefined && !mayHold(subnet, address)) {
    const message = `IP address ${address} is not a valid IP for the specified subnet.`;
    throw new Fault(400, 'InvalidIpForSubnet', message);
  }
  return { subnet, address };
}

const canonical = (address: string) => toAddress(toNumber(address), ipVersion(address) ?? 4);

/** A host of the subnet, or its gateway: in IPv6 that may be the first address. */
const mayHold = (subnet: SubnetRow, address: string) =>
  ipVersion(address) === subnet.ip_version &&
  (within(hostsOf(subnet.cidr), toNumber(address)) || (subnet.ip_version === 6 && address === subnet.gateway_ip));

function claim(store: Store, holder: Holder, subnet: SubnetRow, address: string, held: readonly FixedIp[]): FixedIp {
  const ip = { subnet_id: subnet.id, ip_address: address };
  if (isAutomatic(subnet) && !isInterface(holder.device_owner) && address !== eui64(subnet.cidr, holder.mac_address)) {
    const message = `IPv6 address ${address} cannot be directly assigned to a port on subnet ${subnet.id} as the subnet is configured for automatic addresses`;
    throw new Fault(400, 'AllocationOnAutoAddressSubnet', message);
  }
  if (!has(held, ip) && isTaken(store, ip)) throw alreadyAllocated(ip);
  return ip;
}

const alreadyAllocated = ({ subnet_id, ip_address }: FixedIp) =>
  new Fault(409, 'IpAddressAlreadyAllocated', `IP address ${ip_address} already allocated in subnet ${subnet_id}`);

const has = (ips: readonly FixedIp[], ip: FixedIp) =>
  ips.some((one) => one.subnet_id === ip.subnet_id && one.ip_address === ip.ip_address);
