import type { UserRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { domain, findUser, newId, newUser } from './directory.ts';
import { conflict, forbidden, notFound, unauthorized } from './fault.ts';
import { about, flagOf, nameOf, textOf } from './fields.ts';
import { type Asked, type Fields, listAnswer, type Route, requireAdmin } from './route.ts';
import { hashSecret, isSecret } from './secrets.ts';

export function userRoutes(store: Store): readonly Route[] {
  const find = ({ parameters: { id = '' } }: Asked): UserRow => {
    const row = store.users.get(id);
    if (row === undefined) throw notFound('user', id);
    return row;
  };
  const show = (asked: Asked, row: UserRow, status = 200) => ({
    status,
    body: { user: { ...view(row), links: { self: `${asked.self}/users/${row.id}` } } },
  });
  const free = (name: string, id: string) => {
    const other = findUser(store, name);
    if (other === undefined || other.id === id) return;
    throw conflict('user', `Duplicate entry found with name ${name} at domain ID ${domain.id}`);
  };
  const put = (row: UserRow, given: Fields): UserRow => {
    const name = given.name === undefined ? row.name : nameOf(given);
    free(name, row.id);
    const password = textOf(given, 'password');
    return store.users.put({
      ...row,
      name,
      description: textOf(given, 'description') ?? row.description,
      email: textOf(given, 'email') ?? row.email,
      enabled: flagOf(given, 'enabled') ?? row.enabled,
      default_project_id: textOf(given, 'default_project_id') ?? row.default_project_id,
      password_hash: password === undefined ? row.password_hash : hashSecret(password),
    });
  };
  return [
    {
      method: 'GET',
      path: '/users',
      run: (asked) => {
        requireAdmin(asked, 'list_users');
        return listAnswer(asked, 'users', store.users.all().map(view));
      },
    },
    {
      method: 'POST',
      path: '/users',
      run: (asked) => {
        requireAdmin(asked, 'create_user');
        const given = about(asked.body, 'user');
        return show(asked, put(newUser(newId(), nameOf(given)), given), 201);
      },
    },
    {
      method: 'GET',
      path: '/users/:id',
      run: (asked) => {
        if (asked.parameters.id !== asked.token.userId) requireAdmin(asked, 'get_user');
        return show(asked, find(asked));
      },
    },
    {
      method: 'PATCH',
      path: '/users/:id',
      run: (asked) => {
        requireAdmin(asked, 'update_user');
        return show(asked, put(find(asked), about(asked.body, 'user')));
      },
    },
    {
      method: 'POST',
      path: '/users/:id/password',
      run: (asked) => {
        if (asked.parameters.id !== asked.token.userId) throw forbidden('identity:change_password');
        const row = find(asked);
        const given = about(asked.body, 'user');
        if (!isSecret(row.password_hash, textOf(given, 'original_password') ?? '')) throw unauthorized();
        put(row, { password: given.password });
        return { status: 204 };
      },
    },
    {
      method: 'DELETE',
      path: '/users/:id',
      run: (asked) => {
        requireAdmin(asked, 'delete_user');
        const row = find(asked);
        for (const one of store.assignments.by('user', row.id)) store.assignments.delete(one.id);
        for (const one of store.applicationCredentials.by('user', row.id)) store.applicationCredentials.delete(one.id);
        store.users.delete(row.id);
        return { status: 204 };
      },
    },
  ];
}

function view({ password_hash: _, email, default_project_id, ...row }: UserRow) {
  return {
    ...row,
    domain_id: domain.id,
    password_expires_at: null,
    options: {},
    ...(email === null ? {} : { email }),
    ...(default_project_id === null ? {} : { default_project_id }),
  };
}
