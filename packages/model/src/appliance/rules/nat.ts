import { canonicalIp, ipVersion } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { FloatingIp, PortForwarding } from '../nat.ts';
import { checkAddress, type Fail } from './fail.ts';

/** Ranges that are moved to other ports become one element of a map per port. */
const MAX_FORWARDED_PORTS = 200_000;

export function checkNat(config: ApplianceConfig, fail: Fail): void {
  const floating = checkFloatingIps(config.floating_ips, fail);
  config.snat_addresses?.forEach((address, index) => {
    const field = `/snat_addresses/${index}`;
    if (checkAddress(address, field, 4, fail) && floating.has(address)) fail(field, `${address} is a floating IP`);
  });
  checkPortForwardings(config.port_forwardings ?? [], floating, fail);
}

function checkFloatingIps(floatingIps: readonly FloatingIp[], fail: Fail): ReadonlySet<string> {
  const seen = new Set<string>();
  floatingIps.forEach(({ floating_ip, fixed_ip }, index) => {
    const field = `/floating_ips/${index}`;
    // There are none of IPv6: an IPv6 address is reached without translation.
    const valid = checkAddress(floating_ip, `${field}/floating_ip`, 4, fail);
    checkAddress(fixed_ip, `${field}/fixed_ip`, 4, fail);
    if (valid && seen.has(floating_ip)) fail(`${field}/floating_ip`, `${floating_ip} is used twice`);
    seen.add(floating_ip);
  });
  return seen;
}

interface Taken {
  readonly first: number;
  readonly last: number;
  readonly field: string;
}

function checkPortForwardings(forwardings: readonly PortForwarding[], floating: ReadonlySet<string>, fail: Fail): void {
  const taken = new Map<string, Taken[]>();
  let ports = 0;
  forwardings.forEach((forwarding, index) => {
    const field = `/port_forwardings/${index}`;
    const { floating_ip, protocol } = forwarding;
    checkAddress(floating_ip, `${field}/floating_ip`, 4, fail);
    checkAddress(forwarding.internal_ip, `${field}/internal_ip`, 4, fail);
    // As in Neutron: an address is either a host's or shared out by port.
    if (floating.has(floating_ip)) fail(`${field}/floating_ip`, `${floating_ip} is a floating IP`);
    const { first, last } = checkPorts(forwarding, field, fail);
    if (!(ports > MAX_FORWARDED_PORTS)) {
      ports += Math.max(1, last - first + 1);
      if (ports > MAX_FORWARDED_PORTS) fail(field, `more than ${MAX_FORWARDED_PORTS} ports are forwarded up to here`);
    }
    const key = `${ipVersion(floating_ip) === 4 ? canonicalIp(floating_ip) : floating_ip} ${protocol}`;
    const others = taken.get(key);
    const entry = { first, last, field: `${field}/external_port` };
    if (others === undefined) taken.set(key, [entry]);
    else others.push(entry);
  });
  for (const [key, ranges] of taken) checkOverlaps(key, ranges, fail);
}

function checkPorts(forwarding: PortForwarding, field: string, fail: Fail): { first: number; last: number } {
  const { external_port: first, external_port_end: last = first, internal_port, internal_port_end } = forwarding;
  if (last < first) fail(`${field}/external_port_end`, 'is before external_port');
  const end = internal_port_end ?? internal_port;
  if (end < internal_port) fail(`${field}/internal_port_end`, 'is before internal_port');
  else if (end !== internal_port && end - internal_port !== last - first) {
    fail(`${field}/internal_port_end`, `must be a range as long as the external one, ${last - first + 1} ports`);
  }
  return { first, last };
}

function checkOverlaps(key: string, ranges: Taken[], fail: Fail): void {
  ranges.sort((a, b) => a.first - b.first);
  let end = 0;
  for (const { first, last, field } of ranges) {
    if (first <= end) fail(field, `port ${first} of ${key} is forwarded twice`);
    end = Math.max(end, last);
  }
}
