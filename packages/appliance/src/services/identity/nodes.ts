import { errors } from '../../errors.ts';
import { type DnsName, type Ip, type Printable, printable } from '../../values.ts';

/** Of the tz database, such as `Europe/Berlin`: no dots, so it leads nowhere else. */
export type TimeZone = Printable & { readonly tz: true };

/** What a machine of its own is called, and whom it knows. Undefined: left as it is. */
export interface IdentityNode {
  readonly hostname: DnsName;
  readonly timeZone: TimeZone | undefined;
  readonly authorizedKeys: readonly Printable[] | undefined;
  readonly resolver: ResolverNode | undefined;
}

export interface ResolverNode {
  readonly nameservers: readonly Ip[];
  readonly searchDomains: readonly DnsName[];
}

export function timeZone(text: string, field: string): TimeZone {
  const valid = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(text);
  if (valid) return printable(text, field) as TimeZone;
  throw errors.make('APPLIANCE_VALUE_REFUSED', { field, value: JSON.stringify(text), kind: 'a time zone' }, { field });
}
