import Type from 'typebox';
import { Ip, Port } from '../scalars.ts';

/** Something outside that answers when the way out works: part of `ApplianceConfig`. */
export const Probe = Type.Union([
  Type.Object({ type: Type.Literal('ping'), address: Ip }, { additionalProperties: false }),
  Type.Object({ type: Type.Literal('tcp'), address: Ip, port: Port }, { additionalProperties: false }),
]);
export type Probe = Type.Static<typeof Probe>;
