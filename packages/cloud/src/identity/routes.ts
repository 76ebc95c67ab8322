import type { Store } from '../store/store.ts';
import { credentialRoutes } from './application-credentials.ts';
import { assignmentRoutes } from './assignments.ts';
import { endpointsOf, region, type Service, serviceId } from './catalog.ts';
import { domain, roles } from './directory.ts';
import { notFound } from './fault.ts';
import { projectRoutes } from './projects.ts';
import { type Asked, listAnswer, type Route, requireAdmin } from './route.ts';
import type { Tokens } from './tokens.ts';
import { userRoutes } from './users.ts';

/** All that is in the directory and the catalog. */
export function directoryRoutes(store: Store, tokens: Tokens, services: readonly Service[]): readonly Route[] {
  return [
    ...projectRoutes(store),
    ...userRoutes(store),
    ...assignmentRoutes(store),
    ...credentialRoutes(store, tokens),
    ...fixedRoutes(services),
  ];
}

/** What is as it is. */
function fixedRoutes(services: readonly Service[]): readonly Route[] {
  const shown = services.map((service) => ({
    id: serviceId(service),
    type: service.type,
    name: service.name,
    enabled: true,
  }));
  const endpoints = (self: string) =>
    services.flatMap((service) =>
      endpointsOf(service, self.replace(/\/identity\/v3$/, '')).map((endpoint) => ({
        ...endpoint,
        service_id: serviceId(service),
        enabled: true,
      })),
    );
  const domains = [{ ...domain, description: 'The only domain', enabled: true, options: {} }];
  const regions = [{ id: region, description: '', parent_region_id: null }];
  const roleViews = roles.map((role) => ({ ...role, domain_id: null, description: null, options: {} }));
  return [
    ...collection('domain', 'domains', () => domains),
    ...collection('role', 'roles', () => roleViews),
    ...collection('region', 'regions', () => regions),
    ...collection('service', 'services', () => shown, true),
    ...collection('endpoint', 'endpoints', endpoints, true),
  ];
}

function collection(
  singular: string,
  plural: string,
  rows: (self: string) => readonly { readonly id: string }[],
  adminOnly = false,
): readonly Route[] {
  const check = (asked: Asked) => {
    if (adminOnly) requireAdmin(asked, `list_${plural}`);
  };
  return [
    {
      method: 'GET',
      path: `/${plural}`,
      run: (asked) => {
        check(asked);
        return listAnswer(asked, plural, rows(asked.self));
      },
    },
    {
      method: 'GET',
      path: `/${plural}/:id`,
      run: (asked) => {
        check(asked);
        const id = asked.parameters.id ?? '';
        const row = rows(asked.self).find((one) => one.id === id);
        if (row === undefined) throw notFound(singular, id);
        return { status: 200, body: { [singular]: { ...row, links: { self: `${asked.self}/${plural}/${id}` } } } };
      },
    },
  ];
}
