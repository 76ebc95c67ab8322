import type { Body, Context } from '../api/resource.ts';

/** What other rooms have to say before a row changes through the API: a guard throws a Fault to forbid it, or changes rows of its own. */
export interface Guards<R> {
  readonly beforeUpdate?: (context: Context, row: R, body: Body) => void;
  readonly beforeDelete?: (context: Context, row: R) => void;
}
