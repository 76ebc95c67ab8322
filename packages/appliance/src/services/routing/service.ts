import { join } from 'node:path';
import type { Service } from '../service.ts';
import { desiredRouting } from './desired.ts';
import { planRouting } from './plan.ts';
import { renderRouting } from './render.ts';
import { DIRECTORY, RoutingRunner } from './runner.ts';
import type { RoutingChange, RoutingState } from './state.ts';

/** Router advertisements, BGP and BFD. */
export const routingService: Service<RoutingState, RoutingChange, RoutingRunner> = {
  name: 'routing',
  reads: [
    'networks',
    'bgp',
    'bfd',
    'floating_ips',
    'port_forwardings',
    'snat',
    'snat_addresses',
    'static_routes',
    'default_v4_gateway',
    'default_v6_gateway',
    'hostname',
    'tenant_id',
  ],
  compile(config, { runDirInside, warn }) {
    const node = desiredRouting(config, warn);
    const directory = join(runDirInside, DIRECTORY);
    return node === undefined ? undefined : Object.freeze({ node, directory, files: renderRouting(node, directory) });
  },
  plan: planRouting,
  open: (context) => new RoutingRunner(context),
};
