import Type from 'typebox';
import { DomainName, Ip } from '../scalars.ts';

/** What a machine of its own is called and who may log in: part of `ApplianceConfig`. */
export const Identity = Type.Object(
  {
    /** Of the tz database. */
    time_zone: Type.Optional(
      Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$', maxLength: 64 }),
    ),
    /** sshd(8), AUTHORIZED_KEYS FILE FORMAT; without options. */
    authorized_keys: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [\\x20-\\x7e]{0,128})?$',
          maxLength: 16_384,
        }),
        {
          maxItems: 64,
        },
      ),
    ),
    /** resolv.conf(5) of the appliance itself. */
    nameservers: Type.Optional(Type.Array(Ip, { maxItems: 3 })),
    search_domains: Type.Optional(Type.Array(DomainName, { maxItems: 6 })),
  },
  { additionalProperties: false },
);
export type Identity = Type.Static<typeof Identity>;
