import type { Origin } from '../store/journal.ts';
import type { Store } from '../store/store.ts';

/** Who asks, and in which request. It is the origin of the transaction. */
export interface Caller extends Origin {}

/** What an operation has at hand. It runs inside one transaction of the store. */
export interface Context {
  readonly store: Store;
  readonly caller: Caller;
  /** For a resource with a `parent`: the id in the path. */
  readonly parentId?: string;
  /** Publishes a notification after the transaction, if it is not undone. */
  notify(eventType: string, payload: Readonly<Record<string, unknown>>): void;
}

/** Attributes of a request, checked and with Neutron's defaults filled in (on create). */
export type Body = Readonly<Record<string, unknown>>;

/**
 * One attribute of a resource, as Neutron's attribute maps declare it.
 * `parse` answers the value to keep, or throws a Fault that names the attribute.
 */
export interface Attribute {
  readonly parse?: (value: unknown, name: string) => unknown;
  /** May be given on create. `required`: must be. */
  readonly post?: boolean | 'required';
  /** May be given on update. */
  readonly put?: boolean;
  /** Only administrators may give it. */
  readonly adminSets?: boolean;
  /** Only administrators see it. */
  readonly adminSees?: boolean;
  /** What create gets when it is left out; absent: the key is left out too. */
  readonly default?: unknown;
  /** Lists can be filtered by it, sorted by it; default true. */
  readonly filter?: boolean;
  readonly sort?: boolean;
}

/** A collection of the API: `/v2.0/{plural}`. The engine (`api/`) does the rest: filters, fields, sorting, paging, bulk, notifications. */
export interface Resource<R extends { readonly id: string } = { readonly id: string }> {
  /** Key of a single body and first word of its notifications: `network`, `security_group_rule`. */
  readonly singular: string;
  readonly plural: string;
  /** Path below `/v2.0/` when it is not the plural with dashes. */
  readonly path?: string;
  /** Plural of the resource that it is below: `/v2.0/floatingips/{id}/port_forwardings`. Its functions find the id in the context. */
  readonly parent?: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Type of the Fault when there is none: `NetworkNotFound`. */
  readonly notFound: { readonly type: string; readonly message: (id: string) => string };
  /** Rows that a caller may see are found here; the engine hides what is of other projects, unless `visible` says otherwise. */
  list(context: Context): readonly R[];
  get(context: Context, id: string): R | undefined;
  visible?(context: Context, row: R): boolean;
  /** By attribute: rows whose value is that, so that a list filtered by it need not look at all rows. */
  readonly lookup?: Readonly<Record<string, (context: Context, value: string) => readonly R[]>>;
  /** The whole body as an administrator sees it. */
  view(context: Context, row: R): Record<string, unknown>;
  create?(context: Context, body: Body): R;
  update?(context: Context, row: R, body: Body): R;
  remove?(context: Context, row: R): void;
  /** `PUT /v2.0/{plural}/{id}/{action}` → the answer's body. */
  readonly actions?: Readonly<Record<string, (context: Context, row: R, body: Body) => Record<string, unknown>>>;
  /** Gives the row these tags; absent: it has no `/tags`. */
  retag?(context: Context, row: R, tags: readonly string[]): void;
  /** One of Neutron's core: `.start` is told of requests whose attributes are right; of all others as they come. */
  readonly core?: boolean;
  /** Which notifications it has; absent: both `.start` and `.end` of create, update and delete. */
  readonly silent?: boolean;
}
