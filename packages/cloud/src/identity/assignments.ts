import type { AssignmentRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { assign, domain, roles } from './directory.ts';
import { IdentityFault, notFound } from './fault.ts';
import { type Asked, listAnswer, type Route, requireAdmin } from './route.ts';

const one = '/projects/:project/users/:user/roles/:role';

/** Who has which role in which project. */
export function assignmentRoutes(store: Store): readonly Route[] {
  const named = (asked: Asked, action: string) => {
    requireAdmin(asked, action);
    const { project = '', user = '', role = '' } = asked.parameters;
    if (store.projects.get(project) === undefined) throw notFound('project', project);
    if (store.users.get(user) === undefined) throw notFound('user', user);
    return { project, user, role, id: `${user}/${project}/${role}` };
  };
  const missing = ({ project, user, role }: ReturnType<typeof named>) =>
    new IdentityFault(
      404,
      `Could not find role assignment with role: ${role}, user or group: ${user}, project, domain, or system: ${project}.`,
    );
  return [
    {
      method: 'PUT',
      path: one,
      run: (asked) => {
        const { project, user, role } = named(asked, 'create_grant');
        if (!roles.some(({ id }) => id === role)) throw notFound('role', role);
        assign(store, user, project, role);
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: one,
      run: (asked) => {
        const names = named(asked, 'check_grant');
        if (store.assignments.get(names.id) === undefined) throw missing(names);
        return { status: 204 };
      },
    },
    {
      method: 'DELETE',
      path: one,
      run: (asked) => {
        const names = named(asked, 'revoke_grant');
        if (store.assignments.get(names.id) === undefined) throw missing(names);
        store.assignments.delete(names.id);
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      path: '/projects/:project/users/:user/roles',
      run: (asked) => {
        const { project, user } = named(asked, 'list_grants');
        const given = store.assignments.by('user', user).filter((row) => row.project_id === project);
        return listAnswer(
          asked,
          'roles',
          roles.filter((role) => given.some((row) => row.role_id === role.id)),
        );
      },
    },
    {
      method: 'GET',
      path: '/role_assignments',
      run: (asked) => {
        const { query, isAdmin, token } = asked;
        const wanted = (name: string, value: string) => (query.get(name) ?? value) === value;
        const rows = store.assignments
          .all()
          .filter((row) => isAdmin || row.user_id === token.userId)
          .filter((row) => wanted('user.id', row.user_id) && wanted('scope.project.id', row.project_id))
          .filter((row) => wanted('role.id', row.role_id) && !query.has('scope.system') && !query.has('group.id'));
        const names = query.has('include_names') && !/^(false|0)$/i.test(query.get('include_names') ?? '');
        const self = `${asked.self}/role_assignments`;
        return {
          status: 200,
          body: {
            role_assignments: rows.map((row) => view(store, row, names, asked.self)),
            links: { next: null, self, previous: null },
          },
        };
      },
    },
  ];
}

function view(store: Store, row: AssignmentRow, names: boolean, self: string): unknown {
  const name = (value: string | undefined) => (names ? { name: value ?? '', domain } : {});
  const role = roles.find(({ id }) => id === row.role_id);
  return {
    links: { assignment: `${self}/projects/${row.project_id}/users/${row.user_id}/roles/${row.role_id}` },
    role: { id: row.role_id, ...(names ? { name: role?.name ?? '' } : {}) },
    user: { id: row.user_id, ...name(store.users.get(row.user_id)?.name) },
    scope: { project: { id: row.project_id, ...name(store.projects.get(row.project_id)?.name) } },
  };
}
