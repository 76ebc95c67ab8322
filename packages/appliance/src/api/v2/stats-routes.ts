import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { dhcpService } from '../../services/dhcp/service.ts';
import type { Serve } from '../serve.ts';
import { conntrack, interfaceCounters } from './counters.ts';
import { scrape } from './metrics.ts';
import { floatingIpCounters, labelCounters } from './traffic.ts';

/** What is counted, and who has which address. */
export function statsRoutes(serve: Serve): void {
  serve(v2.stats, async ({ appliance }) => {
    const [interfaces, tracked, labels, floating_ips] = await Promise.all([
      interfaceCounters(appliance.home),
      conntrack(appliance.home),
      labelCounters(appliance),
      floatingIpCounters(appliance),
    ]);
    return { time: new Date().toISOString(), interfaces, labels, floating_ips, conntrack: tracked };
  });

  serve(v2.metrics, ({ appliance, query: { floating_ips = false } }, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return scrape(appliance, { floatingIps: floating_ips });
  });

  serve(v2.leases, async ({ appliance }) => ({ leases: [...(await appliance.runner(dhcpService).leases())] }));
}
