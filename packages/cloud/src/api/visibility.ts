import { Fault } from './fault.ts';
import type { Context, Resource } from './resource.ts';

/** Who sees what, and who may change it, where a resource does not say otherwise: its project, and administrators. */

type Owned = { readonly id: string; readonly project_id?: string };

export function isOwn({ caller }: Context, row: Owned): boolean {
  return caller.isAdmin || (row.project_id !== undefined && row.project_id === caller.projectId);
}

export function isVisible<R extends { readonly id: string }>(context: Context, resource: Resource<R>, row: R): boolean {
  if (context.caller.isAdmin) return true;
  return resource.visible?.(context, row) ?? isOwn(context, row);
}

/** The body as the caller sees it. */
export function shown<R extends { readonly id: string }>(
  context: Context,
  resource: Resource<R>,
  row: R,
): Record<string, unknown> {
  const view = resource.view(context, row);
  if (context.caller.isAdmin) return view;
  for (const [name, { adminSees }] of Object.entries(resource.attributes)) if (adminSees === true) delete view[name];
  return view;
}

export function notFound<R extends { readonly id: string }>({ notFound: how }: Resource<R>, id: string): Fault {
  return new Fault(404, how.type, how.message(id));
}

/** The row, if the caller may see it. */
export function find<R extends { readonly id: string }>(context: Context, resource: Resource<R>, id: string): R {
  const row = resource.get(context, id);
  if (row === undefined || !isVisible(context, resource, row)) throw notFound(resource, id);
  return row;
}
