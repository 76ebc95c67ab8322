import type { ResourceKey } from '@astara/model/instance.ts';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { NeutronAgents, type NeutronAgentsOptions } from '../neutron/agents.ts';
import { Mirror } from '../neutron/mirror/mirror.ts';
import type { Priority } from '../queue/priority.ts';
import { FakeMessaging } from './fake-messaging.ts';
import { activeNetworks, syncedRouters } from './fixtures.ts';
import { until } from './until.ts';

export interface World {
  readonly bus: FakeMessaging;
  readonly mirror: Mirror;
  readonly agents: NeutronAgents;
  readonly queue: { key: ResourceKey; priority: Priority }[];
}

/** Both agents on a bus whose Neutron has the recorded routers and networks, unless the test says otherwise. They end with the test. */
export function world(options: Partial<NeutronAgentsOptions> = {}): World {
  const bus = new FakeMessaging();
  const mirror = new Mirror();
  const queue: World['queue'] = [];
  bus.answer('report_state', () => 'alive');
  bus.answer('get_router_ids', () => syncedRouters().map(({ id }) => id));
  bus.answer('sync_routers', ({ router_ids }) =>
    syncedRouters().filter(({ id }) => (router_ids as string[]).includes(id)),
  );
  bus.answer('get_active_networks_info', () => activeNetworks());
  bus.answer('get_network_info', ({ network_id }) => activeNetworks().find(({ id }) => id === network_id) ?? null);
  for (const method of ['update_floatingip_statuses', 'dhcp_ready_on_ports', 'release_dhcp_port'])
    bus.answer(method, () => null);
  const agents = new NeutronAgents({
    messaging: bus,
    host: 'lab1',
    availabilityZone: 'nova',
    mirror,
    roles: { l3: true, dhcp: true },
    needsPort: () => false,
    enqueue: (key, priority) => void queue.push({ key, priority }),
    logger: pino({ level: 'silent' }),
    ...options,
    options: { firstTimeout: 150, retry: { base: 5, cap: 20 }, ...options.options },
  });
  onTestFinished(() => agents.stop());
  return { bus, mirror, agents, queue };
}

/** The same, started, with everything in the mirror. */
export async function filled(options: Partial<NeutronAgentsOptions> = {}): Promise<World> {
  const made = world(options);
  await made.agents.start();
  await until(
    'filled',
    () => made.mirror.filled && made.agents.l3.role.stale === 0 && made.agents.dhcp.role.stale === 0,
  );
  return made;
}
