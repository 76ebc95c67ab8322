import type { FloatingIp, Network, Port, Router, Subnet } from '@astara/openstack/neutron-types.ts';
import { waitFor } from '../e2e/lib/wait.ts';
import type { Account } from './account.ts';

/** What a tenant of the demo has built. */
export interface Tenant {
  readonly name: string;
  readonly network: Network;
  readonly subnet: Subnet;
  readonly router: Router;
  readonly server: Server;
  readonly port: Port;
  /** Where the server is reached from outside. */
  readonly floatingIp: FloatingIp;
}

export interface Server {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

/** As a user of the cloud would: a network, a router to the outside, a server, and a floating IP for it. */
export async function buildTenant(account: Account, external: Network): Promise<Tenant> {
  const { name, neutron } = account;
  const network = await neutron.networks.create({ name });
  const subnet = await neutron.subnets.create({
    name,
    network_id: network.id,
    ip_version: 4,
    cidr: '10.0.0.0/24',
    dns_nameservers: [],
  });
  const router = await neutron.routers.create({ name, external_gateway_info: { network_id: external.id } });
  const path = `/routers/${router.id}/add_router_interface`;
  await neutron.client.request({ method: 'PUT', path, body: { subnet_id: subnet.id } });
  const server = await bootServer(account, network);
  const [port] = await neutron.ports.list({ filters: { device_id: server.id } });
  if (port === undefined) throw new Error(`the server ${name} has no port`);
  const floatingIp = await neutron.floatingips.create({ floating_network_id: external.id, port_id: port.id });
  return { name, network, subnet, router, server, port, floatingIp };
}

async function bootServer({ name, nova, glance }: Account, network: Network): Promise<Server> {
  const { images } = (await glance.request({ method: 'GET', path: '/images' })) as { images: { id: string }[] };
  const { flavors } = (await nova.request({ method: 'GET', path: '/flavors' })) as { flavors: { id: string }[] };
  const madeOf = { imageRef: images[0]?.id, flavorRef: flavors[0]?.id };
  const body = { server: { name: `${name}-server`, ...madeOf, networks: [{ uuid: network.id }] } };
  const made = (await nova.request({ method: 'POST', path: '/servers', body })) as { server: Server };
  const { id } = made.server;
  return waitFor(`the server of ${name} to be ACTIVE`, async () => {
    const { server } = (await nova.request({ method: 'GET', path: `/servers/${id}` })) as { server: Server };
    return server.status === 'ACTIVE' && server;
  });
}
