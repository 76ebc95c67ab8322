import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { dhcpService } from '../../services/dhcp/service.ts';
import type { Serve } from '../serve.ts';
import { conntrack, interfaceCounters } from './counters.ts';
import { traffic } from './traffic.ts';

/** What is counted, and who has which address. */
export function statsRoutes(serve: Serve): void {
  serve(v2.stats, async ({ appliance }) => {
    const [interfaces, tracked, counted] = await Promise.all([
      interfaceCounters(appliance.home),
      conntrack(appliance.home),
      traffic(appliance),
    ]);
    const { labels, floating_ips } = counted;
    return { time: new Date().toISOString(), interfaces, labels, floating_ips, conntrack: tracked };
  });

  serve(v2.leases, async ({ appliance }) => ({ leases: [...(await appliance.runner(dhcpService).leases())] }));
}
