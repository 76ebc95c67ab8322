import type { Authenticate } from '../api/server.ts';
import type { Store } from '../store/store.ts';
import type { Tokens } from './tokens.ts';

/** Whose token a request bears. One without a project opens no service but Keystone. */
export function callerOf(store: Store, tokens: Tokens): Authenticate {
  return (id) => {
    const token = id === undefined ? undefined : tokens.find(id);
    if (token === undefined || (token.projectId === undefined && !token.system)) return undefined;
    const roles = tokens.rolesOf(token).map((role) => role.name);
    const userName = store.users.get(token.userId)?.name;
    return {
      userId: token.userId,
      ...(userName === undefined ? {} : { userName }),
      projectId: token.projectId ?? '',
      roles,
      isAdmin: roles.includes('admin'),
    };
  };
}
