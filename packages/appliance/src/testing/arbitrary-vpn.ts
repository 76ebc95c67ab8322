import type { IkePolicy, Vpn, VpnCertificate, VpnConnection } from '@astara/model/appliance/vpn.ts';
import fc from 'fast-check';

/** VPN connections as the API may let them in: everything VPNaaS has a word for, and texts as hostile as the schema allows. */

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
const octet = fc.integer({ min: 0, max: 255 });
const four = fc.tuple(octet, octet, octet).map((parts) => `198.${parts.join('.')}`);
const six = octet.map((host) => `2001:DB8::${host.toString(16)}`);

const identity = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9%@.:_=, /+*-]{1,40}$/),
  fc.constantFrom('%any', '@@a', 'C=', 'CN=a, O=b/c', '*@*', 'asn1dn:', 'keyid:x', '0.0.0.0', '::', 'xmppaddr:a', '@'),
);

const auth_algorithm = fc.constantFrom<IkePolicy['auth_algorithm']>(
  ...(['sha1', 'sha256', 'sha384', 'sha512', 'aes-xcbc', 'aes-cmac'] as const),
);
const encryption_algorithm = fc.oneof(
  fc.constant('3des'),
  fc
    .tuple(
      fc.constantFrom(128, 192, 256),
      fc.constantFrom('', '-ctr', '-gcm-8', '-gcm-12', '-gcm-16', '-ccm-8', '-ccm-12', '-ccm-16'),
    )
    .map(([bits, mode]) => `aes-${bits}${mode}`),
);
const pfs = fc
  .constantFrom(2, 5, ...Array.from({ length: 18 }, (_, index) => 14 + index))
  .map((group) => `group${group}`);
const lifetime = optional(fc.integer({ min: 60, max: 604_800 }));

const connection = fc
  .record({
    id: fc.stringMatching(/^[0-9a-fA-F-]{1,64}$/),
    name: optional(fc.string({ unit: 'binary', maxLength: 40 })),
    admin_state_up: optional(fc.boolean()),
    ends: fc.oneof(fc.tuple(four, four), fc.tuple(six, six)).filter(([a, b]) => a !== b),
    called: fc.boolean(),
    local_id: optional(identity),
    peer_id: identity,
    psk: fc.string({ unit: printable, minLength: 1, maxLength: 255 }).filter((text) => text !== '********'),
    initiator: fc.constantFrom<VpnConnection['initiator']>('bi-directional', 'response-only'),
    version: fc.constantFrom(4, 6),
    local: fc.array(octet, { minLength: 1, maxLength: 4 }),
    peer: fc.array(octet, { minLength: 1, maxLength: 4 }),
    length: fc.integer({ min: 16, max: 32 }),
    dpd: optional(
      fc.record({
        action: fc.constantFrom(...(['clear', 'hold', 'restart', 'disabled', 'restart-by-peer'] as const)),
        interval: fc.integer({ min: 1, max: 3600 }),
        more: fc.integer({ min: 1, max: 80_000 }),
      }),
    ),
    mtu: optional(fc.integer({ min: 68, max: 65_535 })),
    ike: fc.record({
      ike_version: fc.constantFrom<'v1' | 'v2'>('v1', 'v2'),
      auth_algorithm,
      encryption_algorithm,
      pfs,
      lifetime,
    }),
    aggressive: fc.boolean(),
    ipsec: fc.record({
      transform_protocol: fc.constantFrom<'esp' | 'ah' | 'ah-esp'>('esp', 'esp', 'esp', 'ah', 'ah-esp'),
      encapsulation_mode: fc.constantFrom<'tunnel' | 'transport'>('tunnel', 'tunnel', 'transport'),
      auth_algorithm,
      encryption_algorithm,
      pfs,
      lifetime,
    }),
  })
  .map(({ ends, called, version, local, peer, length, dpd, aggressive, ike, ...rest }): VpnConnection => {
    const cidr = (side: number) => (part: number) =>
      version === 4
        ? `10.${side + (part % 100)}.${part}.0/${length}`
        : `fd00:${side}:${part.toString(16)}::/${length + 16}`;
    const connection = {
      ...rest,
      local_address: ends[0],
      peer_address: called ? ends[1] : undefined,
      initiator: called ? rest.initiator : ('response-only' as const),
      local_cidrs: local.map(cidr(0)),
      peer_cidrs: peer.map(cidr(100)),
      dpd: dpd && { action: dpd.action, interval: dpd.interval, timeout: dpd.interval + dpd.more },
      ike_policy: { ...ike, aggressive: aggressive && ike.ike_version === 'v1' },
      ipsec_policy: rest.ipsec,
    };
    const { ipsec: _, ...clean } = connection;
    // As JSON: what is undefined is absent.
    return JSON.parse(JSON.stringify(clean));
  });

/** With `certificates`, some of the connections have one of them instead of a pre-shared key. */
export function anyVpn(certificates: readonly VpnCertificate[] = []): fc.Arbitrary<Vpn> {
  const proven = fc.tuple(connection, fc.nat()).map(([{ psk, ...rest }, choice]): VpnConnection => {
    const certificate = certificates[choice % (certificates.length * 2 || 1)];
    return certificate === undefined ? { ...rest, ...(psk === undefined ? {} : { psk }) } : { ...rest, certificate };
  });
  return fc
    .uniqueArray(proven, { selector: ({ id }) => id.toLowerCase(), maxLength: 6 })
    .map((connections) => ({ connections }));
}
