import { badRequest, Fault, notAuthorized } from '../api/fault.ts';
import type { Operation } from '../api/operation.ts';
import { integer, isObject, member } from '../api/parse.ts';
import type { Context, Resource } from '../api/resource.ts';
import type { Store } from '../store/store.ts';

/** How many of each kind a project has; what is counted elsewhere has none. */
const used: Readonly<Record<string, (store: Store, project: string) => number>> = {
  network: (store, project) => store.networks.count('project', project),
  subnet: (store, project) => store.subnets.count('project', project),
  subnetpool: () => 0,
  port: (store, project) => store.ports.count('project', project),
  router: (store, project) => store.routers.count('project', project),
  floatingip: (store, project) => store.floatingIps.count('project', project),
  rbac_policy: () => 0,
  security_group: (store, project) => store.securityGroups.count('project', project),
  security_group_rule: (store, project) => store.securityGroupRules.count('project', project),
};

const kinds = Object.keys(used);

/** -1: no limit, as a cloud for demonstrations wants it. */
const unlimited = -1;

/** Neutron's default where it is not that. */
const usual: Readonly<Record<string, number>> = { rbac_policy: 10 };

const usualOf = (kind: string) => usual[kind] ?? unlimited;

/** The resource, with Neutron's 409 when the project would have more of it than its quota allows. */
export function withQuota<R extends { readonly id: string }>(resource: Resource<R>): Resource<R> {
  const { create, singular } = resource;
  const count = Object.hasOwn(used, singular) ? used[singular] : undefined;
  if (create === undefined || count === undefined) return resource;
  return {
    ...resource,
    create: (context, body) => {
      const project = typeof body.project_id === 'string' ? body.project_id : context.caller.projectId;
      const limit = limitsOf(context.store, project)[singular] ?? unlimited;
      if (limit >= 0 && count(context.store, project) >= limit) {
        throw new Fault(409, 'OverQuota', `Quota exceeded for resources: ['${singular}'].`);
      }
      return create(context, body);
    },
  };
}

export function quotaOperations(): readonly Operation[] {
  const limits: Operation['run'] = (context, { project = '' }) => {
    mayAsk(context, project);
    return { status: 200, body: { quota: limitsOf(context.store, project) } };
  };
  const own: Operation['run'] = ({ caller }) => ({
    status: 200,
    body: { tenant: { tenant_id: caller.projectId } },
  });
  return [
    { method: 'GET', path: 'quotas', adminRule: 'rule:get_quota', run: list },
    { method: 'GET', path: 'quotas/tenant', run: own },
    { method: 'GET', path: 'quotas/project', run: own },
    { method: 'GET', path: 'quotas/:project', run: limits },
    { method: 'GET', path: 'quotas/:project/default', run: defaults },
    { method: 'GET', path: 'quotas/:project/details', run: details },
    { method: 'PUT', path: 'quotas/:project', adminRule: 'rule:update_quota', run: change },
    { method: 'DELETE', path: 'quotas/:project', adminRule: 'rule:delete_quota', run: forget },
  ];
}

function limitsOf(store: Store, project: string): Record<string, number> {
  const set = store.quotas.get(project)?.limits ?? {};
  return Object.fromEntries(kinds.map((kind) => [kind, set[kind] ?? usualOf(kind)]));
}

const list: Operation['run'] = ({ store }) => ({
  status: 200,
  body: {
    quotas: store.quotas.all().map(({ id }) => ({ ...limitsOf(store, id), tenant_id: id, project_id: id })),
  },
});

const defaults: Operation['run'] = (context, { project = '' }) => {
  mayAsk(context, project);
  return { status: 200, body: { quota: Object.fromEntries(kinds.map((kind) => [kind, usualOf(kind)])) } };
};

const details: Operation['run'] = (context, { project = '' }) => {
  mayAsk(context, project);
  const { store } = context;
  const shown = Object.entries(limitsOf(store, project)).map(([kind, limit]) => [
    kind,
    { limit, used: used[kind]?.(store, project) ?? 0, reserved: 0 },
  ]);
  return { status: 200, body: { quota: Object.fromEntries(shown) } };
};

const change: Operation['run'] = ({ store }, { project = '' }, body) => {
  const given = member(body, 'quota');
  if (!isObject(given)) throw badRequest("Object 'quota' contains invalid data");
  const { tenant_id: _, project_id: __, force: ___, check_limit: ____, ...wanted } = given;
  const unknown = Object.keys(wanted).filter((kind) => !kinds.includes(kind));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  const limits = Object.fromEntries(
    Object.entries(wanted).map(([kind, value]) => [kind, integer(unlimited)(value, kind)]),
  );
  store.quotas.put({ id: project, limits: { ...store.quotas.get(project)?.limits, ...limits } });
  return { status: 200, body: { quota: limitsOf(store, project) } };
};

const forget: Operation['run'] = ({ store }, { project = '' }) => {
  if (store.quotas.get(project) === undefined) {
    throw new Fault(404, 'TenantQuotaNotFound', `Quota for tenant ${project} could not be found.`);
  }
  store.quotas.delete(project);
  return { status: 204 };
};

/** Its own everybody may see. */
function mayAsk({ caller }: Context, project: string): void {
  if (!caller.isAdmin && caller.projectId !== project) throw notAuthorized('rule:get_quota');
}
