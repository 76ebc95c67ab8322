import type { Network, Router } from '@astara/openstack/neutron-types.ts';
import type { Cloud } from '../../e2e/lib/openstack.ts';
import { say } from '../lib/report.ts';

export interface BenchRouter {
  readonly router: Router;
  readonly network: Network;
}

/** Three API clients at once, as many as a small neutron-server takes. */
const CLIENTS = 3;

/**
 * Until there are `count`: per router a network with one /24 (DHCP on), a gateway on the external network, and two ports with
 * a floating IP each.
 */
export async function ensureRouters(cloud: Cloud, have: BenchRouter[], count: number): Promise<BenchRouter[]> {
  const numbers = Array.from({ length: count - have.length }, (_, at) => have.length + at);
  const made: BenchRouter[] = [];
  const began = performance.now();
  const client = async () => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift())
      made.push(await one(cloud, number));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  say(`${count} routers exist (${((performance.now() - began) / 1000).toFixed(1)} s of API calls)`);
  return [...have, ...made];
}

async function one(cloud: Cloud, number: number): Promise<BenchRouter> {
  const name = `r${String(number).padStart(3, '0')}`;
  const network = await cloud.createNetwork(name);
  const subnet = await cloud.createSubnet(network, `10.100.${number}.0/24`);
  const router = await cloud.createRouter(name);
  await cloud.setGateway(router, await cloud.external());
  await cloud.addInterface(router, { subnet_id: subnet.id });
  for (const suffix of ['a', 'b']) {
    const port = await cloud.createPort(network, `${name}${suffix}`, {
      device_owner: 'compute:bench',
      device_id: 'bench',
    });
    await cloud.createFloatingIp({ port_id: port.id });
  }
  return { router, network };
}
