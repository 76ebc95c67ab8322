import { randomUUID } from 'node:crypto';
import { Requests } from './api/requests.ts';
import type { Context } from './api/resource.ts';
import { toAddress } from './network/address.ts';
import { floatingIpOwner, gatewayOwner, interfaceOwner } from './network/device-owners.ts';
import { networkRow, portRow, subnetRow } from './network/plain-rows.ts';
import { defaultGroup } from './network/security-groups.ts';
import { newStandard } from './network/touch.ts';
import type { FloatingIpRow, NetworkRow, PortRow, RouterRow, SubnetRow } from './store/rows.ts';
import type { Store } from './store/store.ts';

export interface Population {
  /** Each with a gateway, and an interface on a network of its own, which has a DHCP subnet. All subnets are the same. */
  readonly routers: number;
  /** Ports of servers on each network; the first has a floating IP. Default 2. */
  readonly ports?: number;
  /** Projects that own them in turn. Default: one for every ten routers. */
  readonly projects?: number;
  /** Where the ports of the servers are bound. Default: nowhere. */
  readonly host?: string;
}

export interface Populated {
  readonly externalNetworkId: string;
  readonly routerIds: readonly string[];
}

/** Rows of one transaction: what is undone when something goes wrong, and is told to listeners at once. */
const atOnce = 500;

/** Room for a gateway and a floating IP of each of half a million routers. */
const externalPrefix = { cidr: '100.64.0.0/12', first: 0x64400000n, gateway: '100.64.0.1', last: '100.79.255.254' };

/** Fills a new store for runs at scale, past the API: 20,000 routers in seconds. */
export function populate(store: Store, population: Population): Populated {
  const requests = new Requests(store, () => undefined);
  const projects = Array.from({ length: population.projects ?? Math.ceil(population.routers / 10) }, () =>
    randomUUID().replaceAll('-', ''),
  );
  const filler = new Filler(store, population);
  const external = requests.system(() => filler.external());
  const routerIds: string[] = [];
  for (let done = 0; done < population.routers; done += atOnce) {
    requests.system((context) => {
      for (let at = done; at < Math.min(done + atOnce, population.routers); at += 1)
        routerIds.push(filler.router(context, at, projects[at % projects.length] ?? ''));
    });
  }
  return { externalNetworkId: external, routerIds };
}

class Filler {
  readonly #store: Store;
  readonly #population: Population;
  #external = { network: '', subnet: '' };
  #macs = 0;
  /** Of the external subnet: behind its gateway. */
  #addresses = 1n;

  constructor(store: Store, population: Population) {
    this.#store = store;
    this.#population = population;
  }

  external(): string {
    const network = this.#network('external', '', {
      external: true,
      mtu: 1500,
      physical_network: 'external',
    });
    const subnet = this.#subnet(network, {
      cidr: externalPrefix.cidr,
      gateway_ip: externalPrefix.gateway,
      enable_dhcp: false,
      allocation_pools: [{ start: '100.64.0.2', end: externalPrefix.last }],
    });
    this.#external = { network: network.id, subnet: subnet.id };
    return network.id;
  }

  /** Answers the router's id. */
  router(context: Context, at: number, project: string): string {
    const store = this.#store;
    const { ports = 2, host = '' } = this.#population;
    const network = this.#network(`net-${at}`, project, { segmentation_id: at + 1 });
    const subnet = this.#subnet(network, {
      cidr: '10.0.0.0/24',
      gateway_ip: '10.0.0.1',
      enable_dhcp: true,
      allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
    });
    const id = randomUUID();
    const gateway = this.#port('', this.#external.network, gatewayOwner, id, [this.#outside()]);
    const router: RouterRow = {
      ...newStandard(project),
      id,
      name: `router-${at}`,
      admin_state_up: true,
      gw_port_id: gateway.id,
      enable_snat: true,
      routes: [],
      availability_zone_hints: [],
      flavor_id: null,
      agent_id: null,
    };
    store.routers.put(router);
    const inside = (last: number) => ({ subnet_id: subnet.id, ip_address: `10.0.0.${last}` });
    this.#port(project, network.id, interfaceOwner, id, [inside(1)]);
    const group = defaultGroup(context, project).id;
    for (let each = 0; each < ports; each += 1) {
      const fixed = inside(each + 10);
      const port = this.#port(project, network.id, 'compute:nova', randomUUID(), [fixed], {
        security_groups: [group],
        port_security_enabled: true,
        host_id: host,
        status: host === '' ? 'DOWN' : 'ACTIVE',
      });
      if (each === 0) this.#floatingIp(project, id, port, fixed.ip_address);
    }
    return id;
  }

  #floatingIp(project: string, routerId: string, port: PortRow, address: string): FloatingIpRow {
    const standard = newStandard(project);
    const outside = this.#outside();
    const holder = this.#port('', this.#external.network, floatingIpOwner, standard.id, [outside], {
      status: 'N/A',
    });
    return this.#store.floatingIps.put({
      ...standard,
      floating_network_id: this.#external.network,
      floating_ip_address: outside.ip_address,
      floating_port_id: holder.id,
      fixed_ip_address: address,
      port_id: port.id,
      router_id: routerId,
      last_known_router_id: null,
      status: 'DOWN',
      dns_name: '',
      dns_domain: '',
    });
  }

  #outside(): PortRow['fixed_ips'][number] {
    this.#addresses += 1n;
    return { subnet_id: this.#external.subnet, ip_address: toAddress(externalPrefix.first + this.#addresses, 4) };
  }

  #network(name: string, project_id: string, more: Partial<NetworkRow>): NetworkRow {
    return this.#store.networks.put(networkRow({ name, project_id, ...more }));
  }

  #subnet(
    network: NetworkRow,
    { cidr, ...more }: Pick<SubnetRow, 'cidr' | 'gateway_ip' | 'enable_dhcp' | 'allocation_pools'>,
  ): SubnetRow {
    return this.#store.subnets.put(subnetRow(network, cidr, { name: network.name, ...more }));
  }

  #port(
    project_id: string,
    id: string,
    device_owner: string,
    device_id: string,
    fixed_ips: PortRow['fixed_ips'],
    more: Partial<PortRow> = {},
  ): PortRow {
    this.#macs += 1;
    const tail = this.#macs.toString(16).padStart(6, '0').match(/../g) ?? [];
    const mac_address = ['fa', '16', '3e', ...tail].join(':');
    const own = { device_owner, device_id, fixed_ips, mac_address, port_security_enabled: false, provisioning: [] };
    return this.#store.ports.put(portRow({ id, project_id }, { ...own, ...more }));
  }
}
