import { Fault, invalidInput } from '../api/fault.ts';
import { boolean, list, member, text } from '../api/parse.ts';
import type { Body, Context, Resource } from '../api/resource.ts';
import { standardAttributes } from '../api/standard.ts';
import { l3Agent } from '../network/agents.ts';
import { zoneNotFound } from '../network/faults.ts';
import { newStandard, revise } from '../network/touch.ts';
import type { RouterRow } from '../store/rows.ts';
import { badRequest, routerInUse, routerNotFoundMessage } from './faults.ts';
import { type GatewayRequest, removeGateway, setGateway } from './gateway.ts';
import { addInterface, type InterfaceInfo, removeInterface } from './interfaces.ts';
import { gatewayInfo, routes } from './parse.ts';
import { interfacesOf } from './router-ports.ts';
import { routerView } from './router-view.ts';
import { addRoutes, checkRoutes, type Route, removeRoutes } from './routes.ts';

/** The engine answers with exactly the attributes that a request gave, as `parse` made them. */
interface RouterBody {
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly external_gateway_info: GatewayRequest | null;
  readonly routes: readonly Route[];
  readonly availability_zone_hints: readonly string[];
  readonly flavor_id: string | null;
}

export function routerResource(): Resource<RouterRow> {
  return {
    singular: 'router',
    plural: 'routers',
    attributes: {
      ...standardAttributes,
      name: { parse: text(), post: true, put: true, default: '' },
      status: {},
      availability_zones: { filter: false, sort: false },
      admin_state_up: { parse: boolean, post: true, put: true, default: true },
      external_gateway_info: { parse: gatewayInfo, post: true, put: true, default: null },
      routes: { parse: routes, put: true },
      availability_zone_hints: { parse: list(text()), post: true, default: [] },
      flavor_id: { parse: noFlavor, post: true, default: null },
      ha: { parse: never('ha'), post: true, put: true, adminSets: true, adminSees: true },
      distributed: { parse: never('distributed'), post: true, put: true, adminSets: true, adminSees: true },
    },
    notFound: { type: 'RouterNotFound', message: routerNotFoundMessage },
    list: ({ store, caller }) => (caller.isAdmin ? store.routers.all() : store.routers.by('project', caller.projectId)),
    get: ({ store }, id) => store.routers.get(id),
    view: ({ store }, router) => routerView(store, router),
    create,
    update,
    remove,
    retag: ({ store }, router, tags) => void revise(store.routers, router, { tags }),
    lookup: { project_id: ofProject, tenant_id: ofProject },
    actions: {
      add_router_interface: (context, router, body) =>
        told(context, router, 'create', addInterface(context, router, body)),
      remove_router_interface: (context, router, body) =>
        told(context, router, 'delete', removeInterface(context, router, body)),
      add_extraroutes: (context, router, body) => withRoutes(context, router, addRoutes(router.routes, routesIn(body))),
      remove_extraroutes: (context, router, body) =>
        withRoutes(context, router, removeRoutes(router.routes, routesIn(body))),
    },
  };
}

const ofProject = ({ store }: Context, projectId: string) => store.routers.by('project', projectId);

function create(context: Context, body: Body): RouterRow {
  const given = body as Partial<RouterBody>;
  const { store } = context;
  const zones = new Set(store.agents.by('type', l3Agent).map((agent) => agent.availability_zone));
  for (const zone of given.availability_zone_hints ?? []) if (!zones.has(zone)) throw zoneNotFound(zone);
  const standard = newStandard(given.project_id ?? context.caller.projectId, given.description);
  const router = store.routers.put({
    ...standard,
    name: given.name ?? '',
    admin_state_up: given.admin_state_up ?? true,
    gw_port_id: null,
    enable_snat: true,
    routes: [],
    availability_zone_hints: given.availability_zone_hints ?? [],
    flavor_id: null,
    agent_id: null,
    revision_number: 1,
  });
  const gateway = given.external_gateway_info ?? undefined;
  return gateway === undefined ? router : revise(store.routers, router, setGateway(context, router, gateway));
}

function update(context: Context, router: RouterRow, body: Body): RouterRow {
  const { external_gateway_info: gateway, ...given } = body as Partial<RouterBody>;
  const { store } = context;
  let row = router;
  if (given.routes !== undefined) {
    checkRoutes(store, row, given.routes);
    row = { ...row, routes: given.routes };
  }
  const patch = gateway === undefined ? {} : setGateway(context, row, gateway ?? undefined);
  const { name, description, admin_state_up } = { ...row, ...given };
  return revise(store.routers, row, { name, description, admin_state_up, ...patch });
}

function remove(context: Context, router: RouterRow): void {
  const attached = interfacesOf(context.store, router.id).map((port) => port.id);
  if (attached.length > 0) throw routerInUse(router.id, `has ports still attached: ${attached.join(', ')}`);
  removeGateway(context, router);
  context.store.routers.delete(router.id);
}

function told(context: Context, router: RouterRow, what: 'create' | 'delete', info: InterfaceInfo): InterfaceInfo {
  revise(context.store.routers, router);
  context.notify(`router.interface.${what}`, { router_interface: info });
  return info;
}

function withRoutes(context: Context, router: RouterRow, wanted: readonly Route[]): Record<string, unknown> {
  checkRoutes(context.store, router, wanted);
  const row = revise(context.store.routers, router, { routes: wanted });
  return { router: routerView(context.store, row) };
}

function routesIn(body: Body): Route[] {
  const given = member(body, 'router').routes;
  if (given === undefined) throw badRequest('router', 'routes must be specified');
  return routes(given, 'routes');
}

/** This cloud has plain routers only; its agents could not serve others. */
function never(name: string): (value: unknown) => false {
  return (value) => {
    if (value !== null && boolean(value, name)) {
      throw invalidInput(`${name}: this cloud has no such routers; leave it out, or give false`);
    }
    return false;
  };
}

function noFlavor(value: unknown): null {
  if (value !== null && value !== undefined)
    throw new Fault(404, 'FlavorNotFound', `Flavor ${value} could not be found.`);
  return null;
}
