import { existsSync } from 'node:fs';
import { tapName } from '@astara/model/instance.ts';
import { INTERNET } from './stack.ts';
import type { Tenant } from './tenant.ts';

/** Which of the namespaces and devices that the demo made are still there. */
export function leftovers(
  tenants: readonly Tenant[],
  networkIds: readonly string[],
  portIds: readonly string[],
): string[] {
  const namespaces = [
    INTERNET,
    ...tenants.flatMap(({ router, server }) => [`astara-${router.id}`, `vm-${server.id.slice(0, 8)}`]),
  ];
  const devices = [...networkIds.map((id) => `brq${id.slice(0, 11)}`), ...portIds.map(tapName)];
  return [
    ...namespaces.filter((name) => existsSync(`/run/netns/${name}`)),
    ...devices.filter((name) => existsSync(`/sys/class/net/${name}`)),
  ];
}
