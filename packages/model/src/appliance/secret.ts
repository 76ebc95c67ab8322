import Type, { type TSchema } from 'typebox';

/** What an answer shows instead of a secret. Sent back, it is refused: nobody meant it. */
export const MASK = '********';

/** Printable text of 1 to `maxLength` characters that is never logged, never an argument of a program, and masked in answers. */
export function Secret(maxLength: number) {
  return Type.String({ pattern: '^[\\x20-\\x7e]+$', maxLength, format: 'password', writeOnly: true });
}

/** A copy of `value` with every {@link Secret} of its schema masked. What holds none is shared with the original. */
export function masked<T>(schema: TSchema, value: T): T {
  return mask(schema as Schema, value) as T;
}

/** What of a schema leads to a secret. */
interface Schema {
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

const secretive = new WeakMap<Schema, boolean>();

function holdsSecret(schema: Schema): boolean {
  const known = secretive.get(schema);
  if (known !== undefined) return known;
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...(schema.anyOf ?? []),
  ];
  const found = schema.writeOnly === true || inner.some(holdsSecret);
  secretive.set(schema, found);
  return found;
}

function mask(schema: Schema, value: unknown): unknown {
  if (!holdsSecret(schema) || value === undefined || value === null) return value;
  if (schema.writeOnly === true) return MASK;
  if (schema.anyOf !== undefined) {
    let inner: unknown = value;
    for (const option of schema.anyOf) inner = mask(option, inner);
    return inner;
  }
  const { items, properties = {}, patternProperties = {} } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map((entry) => mask(items, entry));
  if (typeof value !== 'object') return value;
  const [any] = Object.values(patternProperties);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const schemaOfKey = properties[key] ?? any;
      return [key, schemaOfKey === undefined ? inner : mask(schemaOfKey, inner)];
    }),
  );
}
