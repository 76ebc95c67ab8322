import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { explain } from './explain.ts';

/** Typebox stops at 8. Nobody reads more than this. */
Settings.Set({ maxErrors: 100 });

export interface Invalid {
  /** JSON pointer of the offending field. */
  readonly field: string;
  readonly message: string;
}

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: Invalid[] };

/** A compiled validator for `schema`. It answers with every offending field, up to 100, and never changes its input. */
export function validator<S extends TSchema>(schema: S): (input: unknown) => Validated<Static<S>> {
  const compiled = Compile(schema);
  return (input) => {
    if (compiled.Check(input)) return { ok: true, value: input as Static<S> };
    return { ok: false, errors: explain(schema, [...compiled.Errors(input)]) };
  };
}
