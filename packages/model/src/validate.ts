import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

export interface Invalid {
  /** JSON pointer of the offending field. */
  readonly field: string;
  readonly message: string;
}

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: Invalid[] };

/** A compiled validator for `schema`. It answers with every offending field, and never changes its input. */
export function validator<S extends TSchema>(schema: S): (input: unknown) => Validated<Static<S>> {
  const compiled = Compile(schema);
  return (input) => {
    if (compiled.Check(input)) return { ok: true, value: input as Static<S> };
    const errors = [...compiled.Errors(input)].map((error) => ({
      field: error.instancePath === '' ? '/' : error.instancePath,
      message: error.message,
    }));
    return { ok: false, errors };
  };
}
