import type { ProjectRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { addProject, domain, findProject, newId } from './directory.ts';
import { conflict, forbidden, notFound } from './fault.ts';
import { about, flagOf, nameOf, textOf } from './fields.ts';
import { type Asked, listAnswer, type Route, requireAdmin } from './route.ts';

export function projectRoutes(store: Store): readonly Route[] {
  const find = ({ parameters: { id = '' } }: Asked): ProjectRow => {
    const row = store.projects.get(id);
    if (row === undefined) throw notFound('project', id);
    return row;
  };
  const show = (asked: Asked, row: ProjectRow, status = 200) => ({
    status,
    body: { project: { ...view(row), links: { self: `${asked.self}/projects/${row.id}` } } },
  });
  const free = (name: string, id: string) => {
    const other = findProject(store, name);
    if (other === undefined || other.id === id) return;
    const reason = `it is not permitted to have two projects with either the same name or same id in the same domain: name is ${name}, project id ${id}`;
    throw conflict('project', reason);
  };
  return [
    { method: 'GET', path: '/auth/projects', run: (asked) => listAnswer(asked, 'projects', mine(store, asked)) },
    {
      method: 'GET',
      path: '/users/:user/projects',
      run: (asked) => {
        const user = asked.parameters.user ?? '';
        if (!asked.isAdmin && user !== asked.token.userId) throw forbidden('identity:list_user_projects');
        return listAnswer(asked, 'projects', ofUser(store, user).map(view));
      },
    },
    {
      method: 'GET',
      path: '/projects',
      run: (asked) => {
        requireAdmin(asked, 'list_projects');
        return listAnswer(asked, 'projects', store.projects.all().map(view));
      },
    },
    {
      method: 'POST',
      path: '/projects',
      run: (asked) => {
        requireAdmin(asked, 'create_project');
        const given = about(asked.body, 'project');
        const [id, name] = [newId(), nameOf(given)];
        free(name, id);
        const row = addProject(store, id, name, textOf(given, 'description'), flagOf(given, 'enabled') ?? true);
        return show(asked, row, 201);
      },
    },
    {
      method: 'GET',
      path: '/projects/:id',
      run: (asked) => {
        if (asked.parameters.id !== asked.token.projectId) requireAdmin(asked, 'get_project');
        return show(asked, find(asked));
      },
    },
    {
      method: 'PATCH',
      path: '/projects/:id',
      run: (asked) => {
        requireAdmin(asked, 'update_project');
        const row = find(asked);
        const given = about(asked.body, 'project');
        const name = given.name === undefined ? row.name : nameOf(given);
        free(name, row.id);
        const description = textOf(given, 'description') ?? row.description;
        const enabled = flagOf(given, 'enabled') ?? row.enabled;
        return show(asked, store.projects.put({ ...row, name, description, enabled }));
      },
    },
    {
      method: 'DELETE',
      path: '/projects/:id',
      run: (asked) => {
        requireAdmin(asked, 'delete_project');
        const row = find(asked);
        for (const one of store.assignments.by('project', row.id)) store.assignments.delete(one.id);
        for (const one of store.applicationCredentials.by('project', row.id)) {
          store.applicationCredentials.delete(one.id);
        }
        store.projects.delete(row.id);
        return { status: 204 };
      },
    },
  ];
}

function ofUser(store: Store, userId: string): ProjectRow[] {
  const ids = new Set(store.assignments.by('user', userId).map((row) => row.project_id));
  return [...ids].map((id) => store.projects.get(id)).filter((row) => row !== undefined);
}

const mine = (store: Store, { token }: Asked) => ofUser(store, token.userId).map(view);

function view(row: ProjectRow) {
  return { ...row, domain_id: domain.id, parent_id: domain.id, is_domain: false, tags: [], options: {} };
}
