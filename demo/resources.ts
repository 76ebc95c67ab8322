import type { ResourceState } from '@astara/orchestrator/reconciler/resource-state.ts';
import type { ResourceLine } from './screen.ts';
import type { Tenant } from './tenant.ts';

/** What the orchestrator says of all its resources. */
export async function readResources(api: string): Promise<ResourceState[]> {
  const answer = await fetch(`${api}/v1/resources`);
  const { resources } = (await answer.json()) as { resources: ResourceState[] };
  return resources;
}

export function resourceLines(states: readonly ResourceState[], tenants: readonly Tenant[]): ResourceLine[] {
  const names = new Map(
    tenants.flatMap(({ name, router, network }) => [[router.id, name] as const, [network.id, name] as const]),
  );
  return states
    .filter(({ id, instances }) => names.has(id) || instances.length > 0)
    .map(({ kind, id, phase, convergence, instances }) => ({
      resource: `${kind} ${names.get(id) ?? id}`,
      state: phase,
      convergence: convergence === null ? '-' : `${(convergence * 1000).toFixed(0)} ms`,
      where: instances.map((instance) => `astara-${instance.id}`).join(' '),
    }))
    .toSorted((a, b) => a.resource.localeCompare(b.resource));
}
