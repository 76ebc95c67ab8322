import type { Ifname, Ip, Prefix } from '../../values.ts';
import type { Version } from './intervals.ts';

/** A rule of a tenant's chain. What is undefined matches everything. */
export interface Rule {
  readonly inputInterface?: Ifname;
  readonly outputInterface?: Ifname;
  readonly version?: Version;
  /** IANA protocol number. */
  readonly protocol?: number;
  readonly source?: Addresses;
  readonly destination?: Addresses;
  readonly sourcePorts?: Ports;
  readonly destinationPorts?: Ports;
  /** Only what was sent elsewhere than its sender said. */
  readonly translated?: boolean;
  readonly verdict: Verdict;
}

/** A prefix, or the set of an address book of the rule's version. */
export type Addresses = { readonly prefix: Prefix } | { readonly book: SetId };

export interface Ports {
  readonly first: number;
  readonly last: number;
}

export type Verdict =
  | { readonly is: 'accept' | 'drop' | 'reject' | 'return' }
  | { readonly is: 'jump'; readonly chain: SetId }
  | { readonly is: 'redirect'; readonly address: Ip; readonly port: number | undefined };

declare const id: unique symbol;
/** A name that {@link identifier} made: letters, digits and `_`. */
export type SetId = string & { readonly [id]: true };
