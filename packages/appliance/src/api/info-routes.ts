import type { IncomingMessage } from 'node:http';
import type { Address, Link } from '@astara/kernel/contract.ts';
import type { FastifyInstance } from 'fastify';
import type { Appliance } from '../appliance.ts';
import { errors } from '../errors.ts';

/** What can be asked without changing anything. */
export function infoRoutes(app: FastifyInstance, resolve: (request: IncomingMessage) => Appliance): void {
  app.get('/v1/status/', async (request) => {
    const appliance = resolve(request.raw);
    const config = appliance.config();
    const [v4, v6] = await Promise.all([
      reaches(appliance, config?.default_v4_gateway),
      reaches(appliance, config?.default_v6_gateway),
    ]);
    return { v4, v6, services: await appliance.status() };
  });

  app.get('/v1/firewall/rules', async (request, reply) => {
    const appliance = resolve(request.raw);
    reply.type('text/plain; charset=utf-8');
    return appliance.home.run(['nft', 'list', 'table', 'inet', 'astara']);
  });

  // Traffic labels are not in the configuration any more, so there is nothing to count.
  app.post('/v1/firewall/labels', async (request) => {
    resolve(request.raw);
    return { labels: [] };
  });

  app.get('/v1/system/interfaces', async (request) => {
    return { interfaces: await interfaces(resolve(request.raw)) };
  });

  app.get<{ Params: { ifname: string } }>('/v1/system/interface/:ifname', async (request) => {
    const { ifname } = request.params;
    const found = (await interfaces(resolve(request.raw))).find((candidate) => candidate.ifname === ifname);
    if (found === undefined) throw errors.make('APPLIANCE_NOT_FOUND', { what: `interface ${ifname}` });
    return { interface: found };
  });
}

/** External reachability: the gateway answers one ping within a second. */
async function reaches(appliance: Appliance, gateway: string | null | undefined): Promise<boolean> {
  if (gateway === undefined || gateway === null) return false;
  try {
    await appliance.home.run(['ping', '-n', '-q', '-c', '1', '-W', '1', gateway], { timeout: 3_000 });
    return true;
  } catch {
    return false; // that is the answer
  }
}

async function interfaces(appliance: Appliance) {
  const { netns } = appliance.home;
  const [links, addresses] = await Promise.all([netns.links(), netns.addresses()]);
  return links.filter((link) => link.ifname !== 'lo').map((link) => view(link, addresses));
}

/** The field names are those of 2016. */
function view(link: Link, addresses: readonly Address[]) {
  return {
    ifname: link.ifname,
    lladdr: link.mac,
    mtu: link.mtu,
    state: link.up ? 'up' : 'down',
    addresses: addresses.filter(({ ifname }) => ifname === link.ifname).map(({ cidr }) => cidr),
    description: '',
    groups: [],
    media: link.kind ?? '',
  };
}
