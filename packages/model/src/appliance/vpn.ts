import Type from 'typebox';
import { CidrText, Ip, Label, Uuid } from '../scalars.ts';
import { Secret } from './secret.ts';

/** IPsec tunnels, in the words of Neutron's VPNaaS: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/** IKE identity: an address, a name, an e-mail address, a distinguished name; `%any` for whoever it is. */
export const IkeIdentity = Type.String({ pattern: '^[A-Za-z0-9%@.:_=, /+*-]{1,255}$' });

const authAlgorithms = ['sha1', 'sha256', 'sha384', 'sha512', 'aes-xcbc', 'aes-cmac'] as const;
const EncryptionAlgorithm = Type.String({ pattern: '^(3des|aes-(128|192|256)(-ctr|-(ccm|gcm)-(8|12|16))?)$' });
/** Diffie-Hellman groups by their IANA numbers. */
const DhGroup = Type.String({ pattern: '^group(2|5|1[4-9]|2[0-9]|3[01])$' });
/** Seconds. Default 3600. */
const Lifetime = Type.Integer({ minimum: 60, maximum: 604_800 });

export const IkePolicy = Type.Object(
  {
    ike_version: Type.Enum(['v1', 'v2']),
    auth_algorithm: Type.Enum(authAlgorithms),
    encryption_algorithm: EncryptionAlgorithm,
    pfs: DhGroup,
    lifetime: Type.Optional(Lifetime),
    /** IKEv1 in three messages, in which the identities can be read and the pre-shared key be guessed offline. Default false. */
    aggressive: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type IkePolicy = Type.Static<typeof IkePolicy>;

export const IpsecPolicy = Type.Object(
  {
    /** `ah` needs a kernel with AH; a connection with `ah-esp` is left out, because strongSwan does not know it. */
    transform_protocol: Type.Enum(['esp', 'ah', 'ah-esp']),
    /** `transport` needs a kernel with IPsec, and protects what the two ends themselves say to each other. */
    encapsulation_mode: Type.Enum(['tunnel', 'transport']),
    auth_algorithm: Type.Enum(authAlgorithms),
    /** Of `esp`. */
    encryption_algorithm: EncryptionAlgorithm,
    pfs: DhGroup,
    lifetime: Type.Optional(Lifetime),
  },
  closed,
);
export type IpsecPolicy = Type.Static<typeof IpsecPolicy>;

/** One certificate or key, PEM (RFC 7468). */
const Pem = { maxLength: 16_384, pattern: '^[\\x20-\\x7e\\r\\n]+$' } as const;

export const VpnCertificate = Type.Object(
  {
    certificate: Type.String(Pem),
    /** RSA, ECDSA or EdDSA, without a passphrase. */
    private_key: Type.String({ ...Pem, format: 'password', writeOnly: true }),
    /** Only certificates that one of these has signed are taken from the peer. */
    ca_certificates: Type.Array(Type.String(Pem), { minItems: 1, maxItems: 16 }),
  },
  closed,
);
export type VpnCertificate = Type.Static<typeof VpnCertificate>;

/** What happens when the peer is not heard any more (RFC 3706). */
export const Dpd = Type.Object(
  {
    /**
     * `clear`: the tunnel ends. `hold`: it is made again when there is something to send. `restart` and `restart-by-peer`: it is
     * made again at once. `disabled`: nobody looks.
     */
    action: Type.Enum(['clear', 'hold', 'restart', 'disabled', 'restart-by-peer']),
    /** Seconds. */
    interval: Type.Integer({ minimum: 1, maximum: 3600 }),
    timeout: Type.Integer({ minimum: 2, maximum: 86_400 }),
  },
  closed,
);
export type Dpd = Type.Static<typeof Dpd>;

export const VpnConnection = Type.Object(
  {
    id: Uuid,
    name: Type.Optional(Label),
    admin_state_up: Type.Optional(Type.Boolean()),
    local_address: Ip,
    /** Absent: any peer that proves its identity; then this side only answers. */
    peer_address: Type.Optional(Ip),
    /** Default: the local address; with certificates, the subject of ours. */
    local_id: Type.Optional(IkeIdentity),
    peer_id: IkeIdentity,
    /** Either a pre-shared key or certificates. */
    psk: Type.Optional(Secret(255)),
    certificate: Type.Optional(VpnCertificate),
    initiator: Type.Enum(['bi-directional', 'response-only']),
    local_cidrs: Type.Array(CidrText, { minItems: 1, maxItems: 64 }),
    peer_cidrs: Type.Array(CidrText, { minItems: 1, maxItems: 64 }),
    /** Default: `hold`, 30 s, 120 s. */
    dpd: Type.Optional(Dpd),
    /** Bytes that a packet in the tunnel may have. The smallest of all connections counts for all of them. */
    mtu: Type.Optional(Type.Integer({ minimum: 68, maximum: 65_535 })),
    ike_policy: IkePolicy,
    ipsec_policy: IpsecPolicy,
  },
  closed,
);
export type VpnConnection = Type.Static<typeof VpnConnection>;

export const Vpn = Type.Object({ connections: Type.Array(VpnConnection, { maxItems: 1024 }) }, closed);
export type Vpn = Type.Static<typeof Vpn>;
