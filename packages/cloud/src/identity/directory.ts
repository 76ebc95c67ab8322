import { createHash, randomBytes } from 'node:crypto';
import type { ProjectRow, UserRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { hashSecret } from './secrets.ts';

/** This cloud has one domain. */
export const domain = { id: 'default', name: 'Default' } as const;

export interface Role {
  readonly id: string;
  readonly name: string;
}

/** A role implies those behind it. */
const ranks = ['admin', 'member', 'reader'] as const;
/** Roles that nothing here asks for, but that guides tell people to give. */
const others = ['service', 'heat_stack_owner', 'load-balancer_member'] as const;

/** The same for the same name, so that what is saved in a file belongs to the same project after a restart. */
export function stableId(kind: string, name: string): string {
  return createHash('sha256').update(`astara-cloud ${kind} ${name}`).digest('hex').slice(0, 32);
}

export const newId = () => randomBytes(16).toString('hex');

export const roles: readonly Role[] = [...ranks, ...others].map((name) => ({ id: stableId('role', name), name }));

/** Roles of a user in a project, with those that they imply. */
export function rolesOf(store: Store, userId: string, projectId: string): readonly Role[] {
  const given = store.assignments
    .by('user', userId)
    .filter((row) => row.project_id === projectId)
    .map((row) => row.role_id);
  return withImplied(given);
}

export function withImplied(ids: readonly string[]): readonly Role[] {
  const highest = ranks.findIndex((name) => ids.includes(stableId('role', name)));
  const implied = highest < 0 ? [] : ranks.slice(highest);
  return roles.filter((role) => ids.includes(role.id) || implied.some((name) => name === role.name));
}

/** A user of the configuration: `name:password:project:role`. */
export interface Account {
  readonly user: string;
  readonly password: string;
  readonly project: string;
  readonly role: string;
}

/** Sees to it that the accounts are there, with these passwords. Runs in a transaction. */
export function provideAccounts(store: Store, accounts: readonly Account[]): void {
  for (const { user, password, project, role } of accounts) {
    const projectRow = findProject(store, project) ?? addProject(store, stableId('project', project), project);
    const known = findUser(store, user);
    const row: UserRow = {
      ...(known ?? newUser(stableId('user', user), user)),
      password_hash: hashSecret(password),
    };
    store.users.put(row);
    assign(store, row.id, projectRow.id, roles.find((one) => one.name === role)?.id ?? stableId('role', 'member'));
  }
}

export function addProject(store: Store, id: string, name: string, description = '', enabled = true): ProjectRow {
  return store.projects.put({ id, name, description, enabled });
}

export function newUser(id: string, name: string): UserRow {
  return {
    id,
    name,
    description: '',
    email: null,
    enabled: true,
    default_project_id: null,
    password_hash: null,
  };
}

export function assign(store: Store, user_id: string, project_id: string, role_id: string): void {
  store.assignments.put({ id: `${user_id}/${project_id}/${role_id}`, user_id, project_id, role_id });
}

export const findProject = (store: Store, name: string) => store.projects.by('name', name)[0];
export const findUser = (store: Store, name: string) => store.users.by('name', name)[0];
