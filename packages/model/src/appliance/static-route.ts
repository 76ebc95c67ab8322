import Type from 'typebox';
import { CidrText, Ip } from '../scalars.ts';

/** A way to somewhere that a tenant or an operator has set: part of `ApplianceConfig`. */
export const StaticRoute = Type.Object(
  {
    destination: CidrText,
    nexthop: Ip,
    /** New. Share of the traffic among several with one destination. Default 1. */
    weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
  },
  { additionalProperties: false },
);
export type StaticRoute = Type.Static<typeof StaticRoute>;
