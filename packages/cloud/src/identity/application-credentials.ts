import { randomBytes } from 'node:crypto';
import { isObject } from '../api/parse.ts';
import type { ApplicationCredentialRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { newId, roles } from './directory.ts';
import { conflict, forbidden, IdentityFault, notFound } from './fault.ts';
import { about, nameOf, textOf } from './fields.ts';
import { type Asked, type Fields, listAnswer, type Route } from './route.ts';
import { hashSecret } from './secrets.ts';
import type { Tokens } from './tokens.ts';

const path = '/users/:user/application_credentials';

/** Passwords for programs: of a user, for one project, shown once. */
export function credentialRoutes(store: Store, tokens: Tokens): readonly Route[] {
  const owner = ({ parameters: { user = '' }, token, isAdmin }: Asked) => {
    if (user !== token.userId && !isAdmin) throw forbidden('identity:list_application_credentials');
    return user;
  };
  const find = (asked: Asked) => {
    const id = asked.parameters.id ?? '';
    const row = store.applicationCredentials.get(id);
    if (row === undefined || row.user_id !== owner(asked)) throw notFound('Application Credential', id);
    return row;
  };
  return [
    {
      method: 'POST',
      path,
      run: (asked) => {
        const { token } = asked;
        const { projectId } = token;
        if (owner(asked) !== token.userId || projectId === undefined) {
          throw forbidden('identity:create_application_credential');
        }
        const given = about(asked.body, 'application_credential');
        const name = nameOf(given);
        if (store.applicationCredentials.by('user', token.userId).some((row) => row.name === name)) {
          throw conflict('application_credential', 'Duplicate entry');
        }
        const held = tokens.rolesOf(token).map((role) => role.id);
        const secret = textOf(given, 'secret') ?? randomBytes(48).toString('base64url');
        const row: ApplicationCredentialRow = store.applicationCredentials.put({
          id: newId(),
          name,
          description: textOf(given, 'description') ?? '',
          user_id: token.userId,
          project_id: projectId,
          role_ids: rolesIn(given, held),
          secret_hash: hashSecret(secret),
          expires_at: expiry(given),
        });
        return { status: 201, body: { application_credential: { ...view(row), secret } } };
      },
    },
    {
      method: 'GET',
      path,
      run: (asked) => {
        const rows = store.applicationCredentials.by('user', owner(asked));
        return listAnswer(asked, 'application_credentials', rows.map(view));
      },
    },
    {
      method: 'GET',
      path: `${path}/:id`,
      run: (asked) => ({ status: 200, body: { application_credential: view(find(asked)) } }),
    },
    {
      method: 'DELETE',
      path: `${path}/:id`,
      run: (asked) => {
        store.applicationCredentials.delete(find(asked).id);
        return { status: 204 };
      },
    },
  ];
}

/** Those asked for, all of which the user must have; absent: all that the user has. */
function rolesIn({ roles: given }: Fields, held: readonly string[]): readonly string[] {
  if (given === undefined || given === null) return held;
  if (!Array.isArray(given)) throw new IdentityFault(400, "Invalid input for field 'roles': it must be a list");
  return given.map((one: unknown) => {
    const role = isObject(one) ? roles.find(({ id, name }) => id === one.id || name === one.name) : undefined;
    if (role === undefined || !held.includes(role.id)) {
      throw new IdentityFault(400, 'Invalid application credential: Could not find role assignment.');
    }
    return role.id;
  });
}

function expiry(given: Fields): string | null {
  const text = textOf(given, 'expires_at');
  if (text === undefined) return null;
  const at = Date.parse(text.endsWith('Z') ? text : `${text}Z`);
  if (Number.isNaN(at)) throw new IdentityFault(400, "Invalid input for field 'expires_at': it must be a time");
  return new Date(at).toISOString().slice(0, 19);
}

function view({ secret_hash: _, role_ids, ...row }: ApplicationCredentialRow) {
  return {
    ...row,
    roles: roles.filter((role) => role_ids.includes(role.id)),
    unrestricted: false,
    system: null,
  };
}
