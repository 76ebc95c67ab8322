import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import type { Serve } from '../serve.ts';
import { plannedChange } from './answers.ts';
import { interfaces } from './interfaces.ts';
import { reachability } from './reachability.ts';

/** How it is, and whether that is as it should be. */
export function stateRoutes(serve: Serve): void {
  serve(v2.status, async ({ appliance, query: { reachability: probe = true, drift: compare = true } }) => {
    const [services, cards, reached, drift] = await Promise.all([
      appliance.status(),
      interfaces(appliance),
      probe ? reachability(appliance) : undefined,
      compare ? appliance.drift() : undefined,
    ]);
    const { candidate } = appliance;
    return {
      applied: appliance.revision ?? null,
      pending: appliance.pending ?? null,
      candidate:
        candidate === undefined ? null : { generation: candidate.generation ?? 0, etag: configEtag(candidate) },
      services,
      checked: appliance.checked === undefined ? null : { ...appliance.checked, checks: [...appliance.checked.checks] },
      interfaces: cards,
      ...(reached === undefined ? {} : { reachability: reached }),
      ...(drift === undefined ? {} : { drift: drift.map(plannedChange) }),
    };
  });

  serve(v2.check, async ({ appliance }) => ({ checks: [...(await appliance.check())] }));

  serve(v2.repair, async ({ appliance }) => ({ repaired: (await appliance.audit()).map(plannedChange) }));
}
