import { isObject } from '../api/parse.ts';
import { badBody, IdentityFault } from './fault.ts';
import type { Fields } from './route.ts';

/** Members of Keystone's bodies, checked. */

/** The object that the body is about; without it, the body itself, as Keystone's errors have it. */
export function about(body: Fields, name: string): Fields {
  const value = body[name];
  if (value !== undefined && !isObject(value)) throw badBody(`Expecting to find ${name} in request body.`);
  return value ?? {};
}

export function nameOf(fields: Fields): string {
  const { name } = fields;
  if (name === undefined) throw new IdentityFault(400, "'name' is a required property");
  if (typeof name !== 'string' || name.trim() === '' || name.length > 255) {
    throw new IdentityFault(400, "Invalid input for field 'name': it must be text of 1 to 255 characters");
  }
  return name;
}

export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new IdentityFault(400, `Invalid input for field '${name}': it must be text`);
  return value;
}

export function flagOf(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') {
    throw new IdentityFault(400, `Invalid input for field '${name}': it must be true or false`);
  }
  return value;
}
