import { errors } from '../../errors.ts';

/** Leaves of the nodes of this service; vici has no characters that would need to be escaped, what is checked here is meaning. */

declare const kind: unique symbol;
/** As `identification_create_from_string` of strongSwan reads it. */
export type IkeId = string & { readonly [kind]: 'ike-id' };
/** How charon calls a connection: its id and what it was made of. No dot: swanctl would lose its way. */
export type ConnectionName = string & { readonly [kind]: 'connection' };

export function ikeId(text: string, field: string): IkeId {
  if (/^[A-Za-z0-9%@.:_=, /+*-]{1,255}$/.test(text)) return text as IkeId;
  throw errors.make('APPLIANCE_VALUE_REFUSED', { field, value: JSON.stringify(text), kind: 'an identity' }, { field });
}

export function connectionName(id: string, made: string, field: string): ConnectionName {
  if (/^[0-9a-f-]{1,64}$/.test(id) && /^[0-9a-f]{8}$/.test(made)) return `${id}_${made}` as ConnectionName;
  throw errors.make('APPLIANCE_VALUE_REFUSED', { field, value: JSON.stringify(id), kind: 'an id' }, { field });
}

/** The id of a {@link ConnectionName}; of a name that is none of ours, the whole name. */
export function idOf(name: string): string {
  return name.replace(/_[0-9a-f]{8}$/, '');
}
