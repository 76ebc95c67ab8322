import type { Store } from '../store/store.ts';
import { catalogOf, type Service } from './catalog.ts';
import { domain } from './directory.ts';
import type { Token, Tokens } from './tokens.ts';

/** `{"token": …}` as Keystone shows it. */
export function tokenView(
  store: Store,
  tokens: Tokens,
  token: Token,
  catalog: { readonly services: readonly Service[]; readonly base: string } | undefined,
): Record<string, unknown> {
  const user = store.users.get(token.userId);
  const project = token.projectId === undefined ? undefined : store.projects.get(token.projectId);
  const scoped = project !== undefined || token.system;
  return {
    token: {
      methods: token.methods,
      user: { domain, id: token.userId, name: user?.name ?? '', password_expires_at: null },
      audit_ids: [token.auditId],
      expires_at: moment(token.expires),
      issued_at: moment(token.issued),
      ...(project === undefined ? {} : { project: { domain, id: project.id, name: project.name }, is_domain: false }),
      ...(token.system ? { system: { all: true } } : {}),
      ...(scoped ? { roles: tokens.rolesOf(token) } : {}),
      ...(scoped && catalog !== undefined ? { catalog: catalogOf(catalog.services, catalog.base) } : {}),
      ...(token.applicationCredentialId === undefined
        ? {}
        : { application_credential: { id: token.applicationCredentialId, restricted: true } }),
    },
  };
}

/** Keystone's clock has microseconds, of which it shows none. */
const moment = (at: number) => `${new Date(at).toISOString().slice(0, 19)}.000000Z`;
