import type { Static, TObject, TProperties, TSchema } from 'typebox';

/**
 * One thing that can be asked of the appliance: declared once, here; the routes (`@astara/appliance/api/`), the OpenAPI document
 * and the checks of parameters come from it.
 */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** As in OpenAPI: `/v2/config/history/{etag}`. */
  readonly path: string;
  readonly tag: 'v1' | 'about' | 'configuration' | 'state' | 'observation';
  readonly summary: string;
  readonly description?: string;
  readonly params?: TProperties;
  readonly query?: TProperties;
  /** Request headers of effect: name → meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: { readonly schema: TSchema; readonly required: boolean };
  readonly answer: { readonly description: string } & (
    | { readonly schema: TSchema }
    | { readonly media: 'text/plain' | 'text/event-stream' }
  );
  /** Statuses of `ErrorAnswer`, besides those that every operation has. */
  readonly refusals?: readonly number[];
}

type Properties<P> = P extends TProperties ? Static<TObject<P>> : Record<never, never>;

export type Params<O extends Operation> = Properties<O['params']>;
export type Query<O extends Operation> = Properties<O['query']>;
export type Answer<O extends Operation> = O['answer'] extends { readonly schema: infer S extends TSchema }
  ? Static<S>
  : unknown;
