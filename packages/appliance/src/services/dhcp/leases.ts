/**
 * dnsmasq's lease file: `expiry mac address hostname client-id`, and behind a line `duid …` the IPv6 leases, whose second field
 * is an IAID and whose last is the client's DUID.
 */
export interface Lease {
  readonly line: string;
  readonly address: string;
  /** Lower case; undefined when the client's DUID does not hold it. */
  readonly mac: string | undefined;
}

export function parseLeases(text: string): Lease[] {
  let six = false;
  const leases: Lease[] = [];
  for (const line of text.split('\n')) {
    const [first, second = '', address = '', , last = ''] = line.split(' ');
    if (first === 'duid') six = true;
    else if (address !== '') leases.push({ line, address, mac: six ? macOfDuid(last) : macOf(second) });
  }
  return leases;
}

/**
 * Leases that keep somebody from the address that is now theirs: dnsmasq does not hand out an address that it believes leased,
 * whatever its hosts file says. `owners`: address → MAC. A lease whose holder is unknown is one when its address is in `moved`.
 */
export function staleLeases(
  leases: readonly Lease[],
  owners: ReadonlyMap<string, string>,
  moved: ReadonlySet<string>,
): Lease[] {
  return leases.filter(({ address, mac }) => {
    const owner = owners.get(address);
    if (owner === undefined) return false;
    return mac === undefined ? moved.has(address) : mac !== owner;
  });
}

/** IPv4 leases whose holder has the address no more. dnsmasq keeps the holder's name as long as the lease. */
export function orphanedLeases(
  leases: readonly Lease[],
  owners: ReadonlyMap<string, string>,
): { address: string; mac: string }[] {
  return leases.flatMap(({ address, mac }) => {
    return mac === undefined || address.includes(':') || owners.get(address) === mac ? [] : [{ address, mac }];
  });
}

/** Who had which IPv4 address and has it no more. */
export function lostAddresses(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): { address: string; mac: string }[] {
  return [...before].flatMap(([address, mac]) => {
    return address.includes(':') || after.get(address) === mac ? [] : [{ address, mac }];
  });
}

/** Addresses that belong to somebody else than before, or to somebody at last. */
export function movedAddresses(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  return new Set([...after].filter(([address, mac]) => before.get(address) !== mac).map(([address]) => address));
}

export function withoutLeases(text: string, stale: readonly Lease[]): string {
  const gone = new Set(stale.map((lease) => lease.line));
  return text
    .split('\n')
    .filter((line) => !gone.has(line))
    .join('\n');
}

/** A hardware type other than Ethernet comes as `06-aa:bb…`. */
function macOf(text: string): string {
  return text.slice(text.indexOf('-') + 1).toLowerCase();
}

/** RFC 8415 §11: types 1 (link-layer address and time) and 3 (link-layer address) of hardware type 1 (Ethernet). */
function macOfDuid(duid: string): string | undefined {
  const bytes = duid.toLowerCase().split(':');
  const type = bytes.slice(0, 4).join('');
  if (type === '00010001' && bytes.length === 14) return bytes.slice(8).join(':');
  if (type === '00030001' && bytes.length === 10) return bytes.slice(4).join(':');
  return undefined;
}
