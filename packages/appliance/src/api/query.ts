import type { Operation, Query } from '@astara/model/appliance/api/operation.ts';
import { validator } from '@astara/model/validate.ts';
import Type, { type TProperties, type TSchema } from 'typebox';
import { errors } from '../errors.ts';

/** Reads the parameters of an operation from a query string. Refuses what it does not know, and what comes twice. */
export function queryReader<O extends Operation>({ query = {} }: O): (given: unknown) => Query<O> {
  const properties: TProperties = query;
  const validate = validator(Type.Object(properties, { additionalProperties: false }));
  const known = Object.keys(properties).join(', ') || 'none';
  return (given) => {
    const read: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(given as Record<string, unknown>)) {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (schema === undefined) throw refused(name, `it is not one of this operation's (${known})`);
      if (typeof text !== 'string') throw refused(name, 'it is there twice');
      read[name] = convert(schema, text);
    }
    const validated = validate(read);
    if (validated.ok) return validated.value as Query<O>;
    const [{ field, message } = { field: '', message: '' }] = validated.errors;
    throw refused(field.slice(1), message);
  };
}

function convert(schema: TSchema, text: string): unknown {
  const { type } = schema as { readonly type?: string };
  // `?dry_run` alone says yes.
  if (type === 'boolean' && (text === '' || text === 'true' || text === 'false')) return text !== 'false';
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  return text;
}

function refused(name: string, reason: string) {
  return errors.make('APPLIANCE_PARAMETER_REFUSED', { name, reason }, { field: `?${name}` });
}
