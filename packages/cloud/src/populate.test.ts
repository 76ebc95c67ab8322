import { expect, test } from 'vitest';
import { populate } from './populate.ts';
import { Store } from './store/store.ts';

test('each router has a way out, a network of its own, servers and a floating IP', () => {
  const store = new Store();
  const { externalNetworkId, routerIds } = populate(store, { routers: 1234, ports: 3, host: 'compute1' });
  expect(routerIds).toHaveLength(1234);
  expect(store.routers.size).toBe(1234);
  expect(store.networks.size).toBe(1235);
  expect(store.floatingIps.size).toBe(1234);
  expect(store.ports.size).toBe(1234 * 6);
  expect(store.ports.count('network', externalNetworkId)).toBe(1234 * 2);
  const outside = store.ports.by('network', externalNetworkId).map((port) => port.fixed_ips[0]?.ip_address);
  expect(new Set(outside).size).toBe(outside.length);
  expect(new Set(store.ports.all().map((port) => port.mac_address)).size).toBe(store.ports.size);
  for (const router of store.routers.all()) {
    const owners = store.ports.by('device', router.id).map((port) => port.device_owner);
    expect(owners.toSorted()).toEqual(['network:router_gateway', 'network:router_interface']);
    const [floatingIp] = store.floatingIps.by('router', router.id);
    expect(store.ports.get(floatingIp?.port_id ?? '')).toMatchObject({
      project_id: router.project_id,
      host_id: 'compute1',
    });
  }
});
