import Type from 'typebox';
import { CidrText, Ip, Label, Uuid } from '../scalars.ts';
import { Secret } from './secret.ts';

/** IPsec tunnels, in the words of Neutron's VPNaaS: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/** IKE identity: an address, a name, an e-mail address, a distinguished name; `%any` for whoever it is. */
export const IkeIdentity = Type.String({ pattern: '^[A-Za-z0-9%@.:_=, /+*-]{1,255}$' });

/** Algorithms as VPNaaS names them. */
export const IkePolicy = Type.Object(
  {
    ike_version: Type.Enum(['v1', 'v2']),
    auth_algorithm: Type.Enum(['sha1', 'sha256', 'sha384', 'sha512', 'aes-xcbc', 'aes-cmac']),
    encryption_algorithm: Type.String({ pattern: '^(3des|aes-(128|192|256)(-(gcm|ccm|ctr)(-(8|12|16))?)?)$' }),
    pfs: Type.String({ pattern: '^group(2|5|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30|31)$' }),
    /** Seconds. Default 3600. */
    lifetime: Type.Optional(Type.Integer({ minimum: 60, maximum: 604_800 })),
    aggressive: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type IkePolicy = Type.Static<typeof IkePolicy>;

export const IpsecPolicy = Type.Object(
  {
    transform_protocol: Type.Enum(['esp', 'ah', 'ah-esp']),
    encapsulation_mode: Type.Enum(['tunnel', 'transport']),
    auth_algorithm: IkePolicy.properties.auth_algorithm,
    encryption_algorithm: IkePolicy.properties.encryption_algorithm,
    pfs: IkePolicy.properties.pfs,
    lifetime: IkePolicy.properties.lifetime,
  },
  closed,
);
export type IpsecPolicy = Type.Static<typeof IpsecPolicy>;

export const VpnConnection = Type.Object(
  {
    id: Uuid,
    name: Type.Optional(Label),
    admin_state_up: Type.Optional(Type.Boolean()),
    local_address: Ip,
    /** Absent: any peer that proves its identity; then this side only answers. */
    peer_address: Type.Optional(Ip),
    local_id: Type.Optional(IkeIdentity),
    peer_id: IkeIdentity,
    /** Either a pre-shared key or certificates. */
    psk: Type.Optional(Secret(255)),
    certificate: Type.Optional(
      Type.Object(
        {
          /** PEM. */
          certificate: Type.String({ maxLength: 65_536 }),
          private_key: Type.String({ maxLength: 65_536, format: 'password', writeOnly: true }),
          /** PEM of those that sign peers' certificates. */
          ca_certificates: Type.Array(Type.String({ maxLength: 65_536 }), { minItems: 1, maxItems: 16 }),
        },
        closed,
      ),
    ),
    initiator: Type.Enum(['bi-directional', 'response-only']),
    local_cidrs: Type.Array(CidrText, { minItems: 1, maxItems: 64 }),
    peer_cidrs: Type.Array(CidrText, { minItems: 1, maxItems: 64 }),
    dpd: Type.Optional(
      Type.Object(
        {
          action: Type.Enum(['clear', 'hold', 'restart', 'disabled', 'restart-by-peer']),
          /** Seconds. */
          interval: Type.Integer({ minimum: 1, maximum: 3600 }),
          timeout: Type.Integer({ minimum: 2, maximum: 86_400 }),
        },
        closed,
      ),
    ),
    mtu: Type.Optional(Type.Integer({ minimum: 68, maximum: 65_535 })),
    ike_policy: IkePolicy,
    ipsec_policy: IpsecPolicy,
  },
  closed,
);
export type VpnConnection = Type.Static<typeof VpnConnection>;

export const Vpn = Type.Object({ connections: Type.Array(VpnConnection, { maxItems: 1024 }) }, closed);
export type Vpn = Type.Static<typeof Vpn>;
