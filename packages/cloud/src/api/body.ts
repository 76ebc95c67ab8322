import { badRequest, notAuthorized } from './fault.ts';
import { isObject, member } from './parse.ts';
import type { Attribute, Body, Caller, Resource } from './resource.ts';

type Shape = Pick<Resource, 'singular' | 'plural' | 'attributes'>;

/** The bodies of a POST: one, or several in a bulk. */
export function createBodies(shape: Shape, body: Body): { readonly bulk: boolean; readonly given: readonly Body[] } {
  if (!Object.hasOwn(body, shape.plural)) return { bulk: false, given: [member(body, shape.singular)] };
  const items = body[shape.plural];
  if (Array.isArray(items) && items.length === 0) throw badRequest('Resources required');
  if (!Array.isArray(items)) throw badRequest(`Object '${shape.singular}' contains invalid data`);
  return {
    bulk: true,
    given: items.map((item) => {
      if (typeof item === 'string') throw badRequest(`Object '${shape.singular}' contains invalid data`);
      if (!isObject(item)) throw badRequest('Body contains invalid data');
      return item;
    }),
  };
}

/** Attributes as create gets them: checked, with defaults, and the project they are for. */
export function prepareCreate(shape: Shape, caller: Caller, given: Body): Body {
  const { attributes } = shape;
  const projectId = 'project_id' in attributes ? projectFor(caller, given) : undefined;
  refuseUnknown(attributes, given);
  const body: Record<string, unknown> = projectId === undefined ? {} : { project_id: projectId };
  for (const [name, attribute] of Object.entries(attributes)) {
    const value = given[name];
    if (value !== undefined) {
      if (attribute.post === undefined || attribute.post === false) {
        throw badRequest(`Attribute '${name}' not allowed in POST`);
      }
      if (!isProject(name)) body[name] = value;
    } else if (attribute.post === 'required') {
      throw badRequest(`Failed to parse request. Required attribute '${name}' not specified`);
    }
  }
  parseAll(attributes, body);
  for (const [name, attribute] of Object.entries(attributes)) {
    if (body[name] === undefined && attribute.default !== undefined) body[name] = attribute.default;
  }
  return body;
}

export function prepareUpdate(shape: Shape, whole: Body): Body {
  const { attributes } = shape;
  if (Object.hasOwn(whole, shape.plural)) throw badRequest('Bulk operation not supported');
  const given = member(whole, shape.singular);
  refuseUnknown(attributes, given);
  for (const name of Object.keys(given)) {
    if (attributes[name]?.put !== true) throw badRequest(`Cannot update read-only attribute ${name}`);
  }
  const body = { ...given };
  parseAll(attributes, body);
  return body;
}

const isProject = (name: string) => name === 'project_id' || name === 'tenant_id';

function projectFor(caller: Caller, { project_id, tenant_id }: Body): string {
  if (project_id !== undefined && tenant_id !== undefined && project_id !== tenant_id) {
    throw badRequest("'project_id' and 'tenant_id' do not match");
  }
  const wanted = project_id ?? tenant_id ?? caller.projectId;
  if (typeof wanted !== 'string') {
    throw badRequest(`Invalid input for tenant_id. Reason: '${String(wanted)}' is not a valid string.`);
  }
  if (wanted.length > 255) {
    throw badRequest(`Invalid input for tenant_id. Reason: '${wanted}' exceeds maximum length of 255.`);
  }
  if (!caller.isAdmin && wanted !== caller.projectId) {
    throw badRequest(
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin or advsvc privileges",
    );
  }
  return wanted;
}

function refuseUnknown(attributes: Readonly<Record<string, Attribute>>, given: Body): void {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(attributes, name));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
}

function parseAll(attributes: Readonly<Record<string, Attribute>>, body: Record<string, unknown>): void {
  for (const [name, { parse }] of Object.entries(attributes)) {
    if (parse !== undefined && body[name] !== undefined && !isProject(name)) body[name] = parse(body[name], name);
  }
}

/** Giving what is the default anyway is allowed to everybody on create. `given`: before, `body`: after it was prepared. */
export function forbidAdminOnly(
  shape: Shape,
  verb: 'create' | 'update',
  caller: Caller,
  body: Body,
  given: Body,
): void {
  if (caller.isAdmin) return;
  for (const [name, { adminSets, default: usual }] of Object.entries(shape.attributes)) {
    if (adminSets !== true || given[name] === undefined || (verb === 'create' && body[name] === usual)) continue;
    const rule = `rule:${verb}_${shape.singular}`;
    throw notAuthorized(`(${rule} and ${rule}:${name})`);
  }
}
