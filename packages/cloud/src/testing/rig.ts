import { randomUUID } from 'node:crypto';
import { Fault } from '../api/fault.ts';
import { NeutronApi } from '../api/neutron-api.ts';
import { Requests } from '../api/requests.ts';
import type { Caller } from '../api/resource.ts';
import { floatingIpResource } from '../l3/floating-ips.ts';
import { followPorts } from '../l3/follow-ports.ts';
import { networkGuards, portGuards, subnetGuards } from '../l3/guards.ts';
import { portForwardingResource } from '../l3/port-forwardings.ts';
import { routerResource } from '../l3/routers.ts';
import { networkResource } from '../network/networks.ts';
import { portResource } from '../network/port-resource.ts';
import { makePort, type PortRequest } from '../network/ports.ts';
import { subnetResource } from '../network/subnets.ts';
import type { PortRow, SubnetRow } from '../store/rows.ts';
import { Store } from '../store/store.ts';

export type Json = Record<string, unknown>;

/** For tests: a cloud's API without HTTP. */
export class Rig {
  readonly store = new Store();
  readonly told: { readonly eventType: string; readonly payload: Readonly<Json> }[] = [];
  readonly requests = new Requests(this.store, (eventType, payload) => void this.told.push({ eventType, payload }));
  readonly api = new NeutronApi(this.requests)
    .add(networkResource(networkGuards))
    .add(subnetResource(subnetGuards))
    .add(portResource(portGuards))
    .add(routerResource())
    .add(floatingIpResource())
    .add(portForwardingResource());
  caller: Caller = callerOf('admin', true);

  constructor() {
    followPorts(this.requests);
  }

  as<T>(caller: Caller, work: () => T): T {
    const before = this.caller;
    this.caller = caller;
    try {
      return work();
    } finally {
      this.caller = before;
    }
  }

  /** The body of the answer; throws Faults. */
  ask(method: string, path: string, body: Json = {}): Json {
    const url = new URL(`http://cloud/v2.0/${path}`);
    const incoming = { caller: this.caller, method, url, body, ifMatch: undefined };
    return (this.api.serve(incoming, path.split('?')[0]?.split('/') ?? []).body ?? {}) as Json;
  }

  /** Makes one, and answers it: `make('routers', {name: 'r'})`. */
  make(path: string, given: Json = {}): Json & { readonly id: string } {
    const singular = path.slice(path.lastIndexOf('/') + 1, -1);
    return this.ask('POST', path, { [singular]: given })[singular] as Json & { readonly id: string };
  }

  /** A network with subnets; `external` with a gateway outside. */
  network(cidrs: readonly string[], given: Json = {}): { readonly id: string; readonly subnets: readonly SubnetRow[] } {
    const { id } = this.make('networks', given);
    const subnets = cidrs.map((cidr) => {
      const version = cidr.includes(':') ? 6 : 4;
      const made = this.make('subnets', { network_id: id, cidr, ip_version: version, enable_dhcp: false });
      const row = this.store.subnets.get(made.id);
      if (row === undefined) throw new Error('no subnet');
      return row;
    });
    return { id, subnets };
  }

  external(cidrs: readonly string[] = ['203.0.113.0/24']): ReturnType<Rig['network']> {
    return this.network(cidrs, { 'router:external': true });
  }

  port(networkId: string, given: Partial<PortRequest> = {}): PortRow {
    const request = { network_id: networkId, project_id: this.caller.projectId, ...given };
    return this.requests.run(this.caller, (context) => makePort(context, request));
  }

  /** A router with a gateway and an interface on a network with one server. */
  routed(cidr = '10.1.0.0/24', external = this.external()) {
    const inside = this.network([cidr]);
    const router = this.make('routers', { external_gateway_info: { network_id: external.id } });
    const subnet = first(inside.subnets);
    const { port_id } = this.ask('PUT', `routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    const server = this.port(inside.id, { device_owner: 'compute:nova', device_id: randomUUID() });
    return { external, inside, subnet, router, server, interfaceId: String(port_id) };
  }
}

export function callerOf(projectId: string, isAdmin = false): Caller {
  return { userId: 'user', projectId, isAdmin, requestId: 'req-test', timestamp: 0 };
}

/** The Fault that is thrown. */
export function fault(work: () => unknown): { status: number; type: string; message: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return { status: error.status, type: error.type, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

export function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('nothing there');
  return item;
}
