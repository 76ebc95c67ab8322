import { isObject } from '../api/parse.ts';
import type { ProjectRow, UserRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { domain, findProject, findUser, rolesOf } from './directory.ts';
import { badBody, IdentityFault, notFound, unauthorized } from './fault.ts';
import type { Fields } from './route.ts';
import { isSecret } from './secrets.ts';
import type { Token, TokenRequest, Tokens } from './tokens.ts';

/** The body of POST /v3/auth/tokens → a token. Who it is, is never said to somebody who has not proved it. */
export function authenticate(store: Store, tokens: Tokens, body: Fields): Token {
  const auth = inside(body, 'auth', 'request body');
  const identity = inside(auth, 'identity', 'auth');
  const { methods } = identity;
  if (!Array.isArray(methods) || methods.length === 0) throw badBody('Expecting to find methods in identity.');
  const method = String(methods[0]);
  const proof = inside(identity, method, 'identity');
  switch (method) {
    case 'password':
      return tokens.issue({ ...withPassword(store, proof, auth.scope), methods: ['password'] });
    case 'token':
      return tokens.issue({ ...withToken(store, tokens, proof, auth.scope) });
    case 'application_credential':
      return tokens.issue({ ...withCredential(store, proof), methods: ['application_credential'] });
    default:
      throw unauthorized();
  }
}

type Bearer = Omit<TokenRequest, 'methods'>;

function withPassword(store: Store, proof: Fields, scope: unknown): Bearer {
  const given = inside(proof, 'user', 'password');
  const user = namedUser(store, given);
  if (user?.enabled !== true || !isSecret(user.password_hash, String(given.password))) throw unauthorized();
  return { userId: user.id, ...scopeOf(store, user, scope) };
}

function withToken(store: Store, tokens: Tokens, proof: Fields, scope: unknown): TokenRequest {
  const token = tokens.find(String(proof.id));
  if (token === undefined) throw new IdentityFault(404, 'Could not recognize Fernet token');
  const user = store.users.get(token.userId);
  if (user === undefined) throw unauthorized();
  // A new scope does not make it last longer.
  const methods = [...new Set(['token', ...token.methods])];
  return { userId: user.id, expires: token.expires, methods, ...scopeOf(store, user, scope) };
}

function withCredential(store: Store, proof: Fields): Bearer {
  const id = typeof proof.id === 'string' ? proof.id : undefined;
  const user = isObject(proof.user) ? namedUser(store, proof.user) : undefined;
  const row =
    id !== undefined
      ? store.applicationCredentials.get(id)
      : store.applicationCredentials.by('user', user?.id ?? '').find((one) => one.name === proof.name);
  if (row === undefined) throw notFound('Application Credential', id ?? String(proof.name));
  const expired = row.expires_at !== null && Date.parse(`${row.expires_at}Z`) <= Date.now();
  if (expired || !isSecret(row.secret_hash, String(proof.secret))) throw unauthorized();
  return {
    userId: row.user_id,
    projectId: row.project_id,
    roleIds: row.role_ids,
    applicationCredentialId: row.id,
  };
}

function namedUser(store: Store, given: Fields): UserRow | undefined {
  if (typeof given.id === 'string') return store.users.get(given.id);
  return isOurs(given.domain) ? findUser(store, String(given.name)) : undefined;
}

function scopeOf(store: Store, user: UserRow, scope: unknown): Pick<TokenRequest, 'projectId' | 'system'> {
  if (scope === undefined || scope === 'unscoped' || !isObject(scope)) return defaultScope(store, user);
  if (isObject(scope.system)) return { projectId: undefined, system: true };
  if (!isObject(scope.project)) throw unauthorized();
  const project = namedProject(store, scope.project);
  if (project?.enabled !== true || rolesOf(store, user.id, project.id).length === 0) throw unauthorized();
  return { projectId: project.id };
}

function defaultScope(store: Store, user: UserRow): Pick<TokenRequest, 'projectId'> {
  const id = user.default_project_id;
  const usable = id !== null && store.projects.get(id)?.enabled === true && rolesOf(store, user.id, id).length > 0;
  return { projectId: usable ? id : undefined };
}

function namedProject(store: Store, given: Fields): ProjectRow | undefined {
  if (typeof given.id === 'string') return store.projects.get(given.id);
  return isOurs(given.domain) ? findProject(store, String(given.name)) : undefined;
}

function isOurs(given: unknown): boolean {
  if (!isObject(given)) return false;
  return given.id === domain.id || (typeof given.name === 'string' && given.name.toLowerCase() === 'default');
}

function inside(fields: Fields, name: string, where: string): Fields {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!isObject(value)) throw badBody(`Expecting to find ${name} in ${where}.`);
  return value;
}
