import type { TSchema } from 'typebox';
import type { Invalid } from './validate.ts';

/** What typebox says against a value. */
export interface SchemaError {
  readonly keyword: string;
  /** Where in the schema, as a JSON pointer behind `#`. */
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/**
 * Errors in the words of those who sent the value: a field that is missing or unknown is named itself, a pattern by what it
 * describes. Of a union, the alternative that the value says it is counts, as far as it says so.
 */
export function explain(schema: TSchema, errors: readonly SchemaError[]): Invalid[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ schemaPath }) => `${schemaPath}/anyOf/`);
  const others = new Set(unions.flatMap((union) => otherAlternatives(union, errors)));
  const told = new Map<string, string>();
  for (const error of errors) {
    if (error.keyword === 'anyOf' || error.keyword === 'additionalProperties' || others.has(error)) continue;
    for (const [field, message] of fieldsOf(schema, error)) {
      const before = told.get(field);
      if (before === undefined) told.set(field, message);
      else if (before !== message && error.schemaPath.includes('/anyOf/')) told.set(field, `${before}, or ${message}`);
    }
  }
  return [...told].map(([field, message]) => ({ field, message }));
}

/** Errors of alternatives that the value is not: another one has no constant or type that differs. */
function otherAlternatives(union: string, errors: readonly SchemaError[]): SchemaError[] {
  const inside = errors.filter(({ schemaPath }) => schemaPath.startsWith(union));
  const alternative = ({ schemaPath }: SchemaError) => schemaPath.slice(union.length).split('/', 1)[0];
  const decides = ({ keyword, schemaPath }: SchemaError) =>
    keyword === 'const' || (keyword === 'type' && !schemaPath.slice(union.length).includes('/'));
  const excluded = new Set(inside.filter(decides).map(alternative));
  const remain = inside.some((error) => !excluded.has(alternative(error)));
  return remain ? inside.filter((error) => excluded.has(alternative(error))) : [];
}

function fieldsOf(schema: TSchema, { keyword, schemaPath, instancePath, params, message }: SchemaError) {
  const field = instancePath === '' ? '/' : instancePath;
  switch (keyword) {
    case 'boolean':
      return [[field, 'is not known here']] as const;
    case 'required': {
      const { requiredProperties = [] } = params as { requiredProperties?: readonly string[] };
      return requiredProperties.map((name) => [`${instancePath}/${name}`, 'is missing'] as const);
    }
    case 'enum': {
      const { allowedValues = [] } = params as { allowedValues?: readonly unknown[] };
      return [[field, `must be one of ${allowedValues.join(', ')}`]] as const;
    }
    case 'const':
      return [[field, `must be ${String((params as { allowedValue?: unknown }).allowedValue)}`]] as const;
    case 'pattern': {
      const description = at(schema, schemaPath)?.description;
      return [[field, typeof description === 'string' ? `must be ${description}` : message]] as const;
    }
    default:
      return [[field, message]] as const;
  }
}

function at(schema: TSchema, path: string): { readonly description?: unknown } | undefined {
  const keys = path.split('/').slice(1);
  return keys.reduce<unknown>((inner, key) => {
    return (inner as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  }, schema) as { readonly description?: unknown } | undefined;
}
