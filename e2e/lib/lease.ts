/** What a DHCP server told a client. */
export interface Lease {
  /** CIDR form. */
  readonly address: string;
  readonly routers: readonly string[];
  readonly dns: readonly string[];
  readonly mtu: number | undefined;
  readonly domain: string | undefined;
  readonly hostname: string | undefined;
  /** Option 121. When there are any, `routers` is to be ignored (RFC 3442). */
  readonly staticRoutes: readonly { readonly destination: string; readonly nexthop: string }[];
  /** Seconds. */
  readonly seconds: number;
  /** Address of the server. */
  readonly server: string;
  /** Everything, by udhcpc's names (`opt121` and the like for those it has no name for). */
  readonly raw: Readonly<Record<string, string>>;
}

/** From the environment that udhcpc gives its script, a `name=value` per line. */
export function parseLease(environment: string): Lease {
  const raw = Object.fromEntries(
    environment
      .split('\n')
      .map((line) => /^([a-z]\w*)=(.*)$/.exec(line))
      .flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? '']] : [])),
  ) as Record<string, string>;
  const words = (name: string) => (raw[name] ?? '').split(' ').filter((word) => word !== '');
  const routes = words('staticroutes');
  return {
    address: `${raw.ip}/${raw.mask}`,
    routers: words('router'),
    dns: words('dns'),
    mtu: raw.mtu === undefined ? undefined : Number(raw.mtu),
    domain: raw.domain,
    hostname: raw.hostname,
    staticRoutes: routes.flatMap((destination, at) =>
      at % 2 === 0 ? [{ destination, nexthop: routes[at + 1] ?? '' }] : [],
    ),
    seconds: Number(raw.lease),
    server: raw.serverid ?? '',
    raw,
  };
}

/** Lines for `ip -batch` that make a device what the lease says. */
export function leaseCommands(device: string, lease: Lease): string[] {
  const hops =
    lease.staticRoutes.length > 0
      ? lease.staticRoutes
      : lease.routers.slice(0, 1).map((nexthop) => ({ destination: 'default', nexthop }));
  return [
    `address flush dev ${device} scope global`,
    ...(lease.mtu === undefined ? [] : [`link set ${device} mtu ${lease.mtu}`]),
    `address add ${lease.address} dev ${device}`,
    // 0.0.0.0: the destination is on the link
    ...hops.map(({ destination, nexthop }) =>
      nexthop === '0.0.0.0'
        ? `route replace ${destination} dev ${device}`
        : `route replace ${destination} via ${nexthop} dev ${device} onlink`,
    ),
  ];
}
