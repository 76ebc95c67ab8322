import type { Lease } from '@astara/model/appliance/api/stats.ts';

/**
 * dnsmasq's lease file: `expiry mac address hostname client-id`, and behind a line `duid …` the IPv6 leases, whose second field
 * is an IAID and whose last is the client's DUID.
 */
export interface LeaseLine {
  readonly line: string;
  /** Seconds since 1970; 0: it does not end. */
  readonly expiry: number;
  readonly address: string;
  /** Lower case; undefined when the client's DUID does not hold it. */
  readonly mac: string | undefined;
  readonly hostname: string | undefined;
  /** RFC 2132 §9.14, or the DUID of RFC 8415 §11, as hexadecimal bytes with colons. */
  readonly clientId: string | undefined;
}

export function parseLeases(text: string): LeaseLine[] {
  let six = false;
  const leases: LeaseLine[] = [];
  for (const line of text.split('\n')) {
    const [first = '', second = '', address = '', name = '*', last = '*'] = line.split(' ');
    if (first === 'duid') six = true;
    else if (address !== '' && /^\d+$/.test(first)) {
      leases.push({
        line,
        expiry: Number(first),
        address,
        mac: six ? macOfDuid(last) : macOf(second),
        hostname: name === '*' ? undefined : name,
        clientId: last === '*' ? undefined : last,
      });
    }
  }
  return leases;
}

/** Of a lease that somebody may still use: the file also has those whose host is gone, until they end. */
export function currentLeases(
  leases: readonly LeaseLine[],
  owners: ReadonlyMap<string, string>,
  networkId: string,
): Lease[] {
  return leases.flatMap(({ address, mac, hostname, expiry, clientId }) => {
    const owner = owners.get(address);
    if (owner === undefined || (mac !== undefined && mac !== owner)) return [];
    return [
      {
        network_id: networkId,
        ip_address: address,
        mac_address: mac ?? null,
        hostname: hostname ?? null,
        expires_at: expiry === 0 ? null : new Date(expiry * 1000).toISOString(),
        client_id: clientId ?? null,
      },
    ];
  });
}

/**
 * Leases that keep somebody from the address that is now theirs: dnsmasq does not hand out an address that it believes leased,
 * whatever its hosts file says. `owners`: address → MAC. A lease whose holder is unknown is one when its address is in `moved`.
 */
export function staleLeases(
  leases: readonly LeaseLine[],
  owners: ReadonlyMap<string, string>,
  moved: ReadonlySet<string>,
): LeaseLine[] {
  return leases.filter(({ address, mac }) => {
    const owner = owners.get(address);
    if (owner === undefined) return false;
    return mac === undefined ? moved.has(address) : mac !== owner;
  });
}

/** Addresses that belong to somebody else than before, or to somebody at last. */
export function movedAddresses(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const moved = new Set<string>();
  for (const [address, mac] of after) if (before.get(address) !== mac) moved.add(address);
  return moved;
}

export function withoutLeases(text: string, stale: readonly LeaseLine[]): string {
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
