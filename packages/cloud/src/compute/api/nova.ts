import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { baseOf } from '../../api/server.ts';
import { NovaFault } from '../fault.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Servers } from '../servers.ts';
import { type Served, serveRoutes } from './ask.ts';
import { catalogRoutes } from './catalog-routes.ts';
import { keypairRoutes } from './keypair-routes.ts';
import { quotaRoutes } from './quota-routes.ts';
import { serverRoutes } from './server-routes.ts';

export interface NovaOptions extends Served {
  readonly servers: Servers;
  readonly hypervisor: Hypervisor;
  /** Where servers run, as `hypervisor list` shows it. */
  readonly host: string;
}

/** The only microversion: what newer ones add is not there, and clients find their way without. */
const VERSION = '2.1';

/** Nova's compute API: `/compute/`, `/compute/v2.1/…`. */
export function serveNova(app: FastifyInstance, options: NovaOptions): void {
  app.register(async (nova) => {
    nova.addHook('onRequest', negotiate);
    nova.get('/compute', (request) => ({ versions: [versionView(request)] }));
    nova.get('/compute/', (request) => ({ versions: [versionView(request)] }));
    nova.get('/compute/v2.1', (request) => ({ version: versionView(request) }));
    nova.get('/compute/v2.1/', (request) => ({ version: versionView(request) }));
    const { servers, hypervisor, host } = options;
    const routes = [...serverRoutes(servers, hypervisor), ...catalogRoutes(host), ...keypairRoutes(), ...quotaRoutes()];
    serveRoutes(nova, '/compute/v2.1', routes, options);
  });
}

function versionView(request: FastifyRequest): Record<string, unknown> {
  return {
    id: 'v2.1',
    status: 'CURRENT',
    version: VERSION,
    min_version: VERSION,
    updated: '2013-07-23T11:33:21Z',
    links: [{ rel: 'self', href: `${baseOf(request)}/compute/v2.1/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
  };
}

/** Says which microversion it answers with, and refuses those it does not have. */
async function negotiate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const asked = microversion(request);
  reply.headers({
    'openstack-api-version': `compute ${VERSION}`,
    'x-openstack-nova-api-version': VERSION,
    vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
  });
  if (asked === undefined || asked === VERSION || asked === 'latest') return undefined;
  const range = `Minimum is ${VERSION} and maximum is ${VERSION}.`;
  return reply.code(406).send(new NovaFault(406, `Version ${asked} is not supported by the API. ${range}`).body());
}

function microversion({ headers }: FastifyRequest): string | undefined {
  const [, asked] = /^compute\s+(\S+)$/.exec(String(headers['openstack-api-version'] ?? '')) ?? [];
  const old = headers['x-openstack-nova-api-version'];
  return asked ?? (typeof old === 'string' ? old : undefined);
}
