import type { Args } from '@astara/messaging/contract.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import { AgentsRig, type FakeAgent } from '../testing/agents-rig.ts';
import { external, step, steps } from '../testing/random-requests.ts';
import type { Json } from '../testing/rig.ts';
import { syncedRouter } from './router-sync.ts';

/** What an agent makes of a router: addresses, routes, translations. Revisions, bindings and statuses are not it. */
function essence(router: Json): Json {
  const brief = (port: unknown) => {
    const { id, fixed_ips, mac_address } = port as Json;
    return { id, fixed_ips, mac_address };
  };
  const sorted = (items: unknown, show: (item: unknown) => Json) =>
    ((items ?? []) as unknown[]).map(show).toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  return {
    name: router.name,
    routes: router.routes,
    enable_snat: router.enable_snat,
    gateway: router.gw_port === undefined ? null : brief(router.gw_port),
    interfaces: sorted(router._interfaces, brief),
    floatingIps: sorted(router._floatingips, (item) => {
      const { id, floating_ip_address, fixed_ip_address, port_forwardings } = item as Json;
      return { id, floating_ip_address, fixed_ip_address, port_forwardings };
    }),
  };
}

/** As an agent does: asks for what it is told of, forgets what is taken from it. */
async function follow(agent: FakeAgent, known: Map<string, Json>): Promise<void> {
  for (const { method, args } of await agent.messages()) {
    if (method === 'routers_updated') {
      const ids = args.routers as string[];
      const routers = await agent.ask<Json[]>('sync_routers', { router_ids: ids });
      for (const id of ids) known.delete(id);
      for (const router of routers) known.set(String(router.id), essence(router));
    } else if (method === 'router_deleted') known.delete(String((args as Args).router_id));
  }
}

test('an agent that only follows what it is told knows its routers as they are, whatever is asked of the cloud', async () => {
  const rig = await AgentsRig.start();
  const agent = await rig.agent('l3', 'h1');
  const known = new Map<string, Json>();
  rig.external(['203.0.113.0/24']);
  rig.external(['198.51.100.0/24', '2001:db8::/64']);
  rig.routed('10.3.0.0/28', { id: external(rig, 0), subnets: [] });
  const run = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (sequence) => {
    for (const one of sequence) {
      try {
        steps[one.what](rig, one);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
      await follow(agent, known);
      const hosted = rig.store.routers.all().filter((router) => router.agent_id !== null && router.admin_state_up);
      const real = hosted.map((router) => [router.id, essence(syncedRouter(rig.store, router))] as const);
      expect(new Map(known), one.what).toEqual(new Map(real));
    }
  });
  // One cloud for all runs: what a run leaves is where the next begins, so a failure is not shrunk.
  await fc.assert(run, { numRuns: 30, endOnFailure: true });
  expect(known.size).toBeGreaterThan(0);
});
