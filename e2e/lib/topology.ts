import type { Network, Router, Subnet } from '@astara/openstack/neutron-types.ts';
import type { Scene } from './scene.ts';
import type { Vm } from './vm.ts';

/** A router with networks behind it: what most tests begin with. */
export interface Topology {
  readonly router: Router;
  readonly networks: readonly Network[];
  readonly subnets: readonly Subnet[];
}

export interface TopologyOptions {
  /** One network with one subnet each. */
  readonly cidrs: readonly string[];
  /** Default true. */
  readonly gateway?: boolean;
  readonly project?: string;
  /** Added to the requests for subnets. */
  readonly subnet?: Readonly<Record<string, unknown>>;
}

/** `name` is part of all names. Everything is made, nothing is waited for. */
export async function routed(scene: Scene, name: string, options: TopologyOptions): Promise<Topology> {
  const { cloud } = scene;
  const owner = options.project === undefined ? {} : { project_id: options.project };
  const router = await cloud.createRouter(name, owner);
  const networks: Network[] = [];
  const subnets: Subnet[] = [];
  for (const [at, cidr] of options.cidrs.entries()) {
    const network = await cloud.createNetwork(`${name}-${at}`, owner);
    const subnet = await cloud.createSubnet(network, cidr, { ...owner, ...options.subnet });
    await cloud.addInterface(router, { subnet_id: subnet.id });
    networks.push(network);
    subnets.push(subnet);
  }
  if (options.gateway !== false) await cloud.setGateway(router, await cloud.external());
  return { router, networks, subnets };
}

/** A machine with its lease. */
export async function leased(
  scene: Scene,
  name: string,
  network: Network,
  port: Readonly<Record<string, unknown>> = {},
): Promise<Vm> {
  const vm = await scene.vm(name, network, { port });
  await vm.dhcp();
  return vm;
}

/** A router's address on the external network. */
export function gatewayAddress(router: Router, family: 4 | 6 = 4): string {
  const fixed = router.external_gateway_info?.external_fixed_ips ?? [];
  const address = fixed.find(({ ip_address }) => ip_address.includes(':') === (family === 6))?.ip_address;
  if (address === undefined) throw new Error(`router ${router.id} has no IPv${family} address outside`);
  return address;
}
