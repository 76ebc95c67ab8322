import { Collection } from './collection.ts';
import type { Agent, FloatingIp, Network, Port, Router, Subnet } from './neutron-types.ts';
import { RestClient } from './rest-client.ts';
import type { Session } from './session.ts';

/** Neutron's REST API (v2.0). */
export class Neutron {
  readonly networks: Collection<Network>;
  readonly subnets: Collection<Subnet>;
  readonly ports: Collection<Port>;
  readonly routers: Collection<Router>;
  readonly floatingips: Collection<FloatingIp>;
  readonly agents: Collection<Agent>;
  /** For what has no method of its own, e.g. `PUT /routers/<id>/add_router_interface`. */
  readonly client: RestClient;

  constructor(session: Session) {
    this.client = new RestClient(session, { type: 'network', name: 'Neutron', prefix: '/v2.0' });
    this.networks = new Collection(this.client, 'network');
    this.subnets = new Collection(this.client, 'subnet');
    this.ports = new Collection(this.client, 'port');
    this.routers = new Collection(this.client, 'router');
    this.floatingips = new Collection(this.client, 'floatingip');
    this.agents = new Collection(this.client, 'agent');
  }
}
