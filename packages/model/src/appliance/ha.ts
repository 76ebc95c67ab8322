import Type from 'typebox';
import { Ifname, Ip } from '../scalars.ts';

/** Several appliances that are one router: part of `ApplianceConfig`. */

const closed = { additionalProperties: false } as const;

/**
 * All members have the same configuration but for `priority`, the addresses of `interface` and `peers`. Addresses of all other
 * networks (but management) are the router's: the master alone has them.
 */
export const Ha = Type.Object(
  {
    /** RFC 9568; the same in all members, unlike any other's on the segment. */
    vrid: Type.Integer({ minimum: 1, maximum: 255 }),
    priority: Type.Integer({ minimum: 1, maximum: 254 }),
    /** Where members hear each other, and conntrackd's entries go: of a management or isolated network. */
    interface: Ifname,
    /** The other members' addresses on that network. Empty: multicast. */
    peers: Type.Array(Ip, { maxItems: 8, uniqueItems: true }),
    /**
     * Milliseconds between two advertisements, in steps of 10 (RFC 9568 counts hundredths of a second). A member that is silent
     * for three of them, and a little, is given up. Default 1000.
     */
    advert_interval_ms: Type.Optional(Type.Integer({ minimum: 10, maximum: 40_950, multipleOf: 10 })),
    /** Whether a returning member of higher priority leaves the mastership where it is. Default true. */
    nopreempt: Type.Optional(Type.Boolean()),
    /** Established connections are known to all members (conntrackd). Default true. */
    conntrack_sync: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type Ha = Type.Static<typeof Ha>;
