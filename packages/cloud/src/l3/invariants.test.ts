import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import type { Store } from '../store/store.ts';
import { external, step, steps } from '../testing/random-requests.ts';
import { type Json, Rig } from '../testing/rig.ts';
import { overlaps } from './overlap.ts';
import { attachedTo, gatewayOf, interfacesOf } from './router-ports.ts';

/** All rows, in an order that does not depend on history. */
function snapshot(store: Store): Json {
  const { networks, subnets, ports, routers, floatingIps, portForwardings } = store;
  const tables = { networks, subnets, ports, routers, floatingIps, portForwardings };
  return Object.fromEntries(
    Object.entries(tables).map(([name, table]) => [name, Object.fromEntries(table.all().map((row) => [row.id, row]))]),
  );
}

function check(store: Store): void {
  const taken = new Set<string>();
  for (const port of store.ports.all()) {
    expect(store.networks.get(port.network_id), 'a port has a network').toBeDefined();
    for (const { subnet_id, ip_address } of port.fixed_ips) {
      expect(store.subnets.get(subnet_id)?.network_id, 'an address is of the network').toBe(port.network_id);
      expect(taken.has(`${subnet_id} ${ip_address}`), 'an address is given once').toBe(false);
      taken.add(`${subnet_id} ${ip_address}`);
    }
    const { device_owner: owner, device_id: device } = port;
    if (owner === 'network:floatingip') expect(store.floatingIps.get(device)?.floating_port_id).toBe(port.id);
    if (owner === 'network:router_gateway') expect(store.routers.get(device)?.gw_port_id).toBe(port.id);
    if (owner === 'network:router_interface') expect(store.routers.get(device)).toBeDefined();
  }
  for (const row of store.routers.all()) {
    if (row.gw_port_id !== null) expect(gatewayOf(store, row)?.device_id).toBe(row.id);
    const subnets = attachedTo(store, row)
      .filter((port) => port.device_owner === 'network:router_interface')
      .flatMap((port) => port.fixed_ips)
      .map((ip) => store.subnets.get(ip.subnet_id)?.cidr ?? '');
    for (const [at, cidr] of subnets.entries())
      for (const other of subnets.slice(at + 1)) expect(overlaps(cidr, other), 'subnets do not overlap').toBe(false);
  }
  for (const row of store.floatingIps.all()) {
    expect(store.ports.get(row.floating_port_id)?.fixed_ips.map((ip) => ip.ip_address)).toContain(
      row.floating_ip_address,
    );
    const rules = store.portForwardings.by('floatingIp', row.id);
    expect(row.router_id === null, 'a router means that it leads somewhere').toBe(
      row.port_id === null && rules.length === 0,
    );
    expect(row.port_id === null || rules.length === 0, 'it leads to a port or forwards').toBe(true);
    if (row.router_id === null) continue;
    const host = store.routers.get(row.router_id);
    expect(host === undefined ? undefined : gatewayOf(store, host)?.network_id, 'the router has the way out').toBe(
      row.floating_network_id,
    );
    const inside = new Set(
      interfacesOf(store, row.router_id).flatMap((port) => port.fixed_ips.map((ip) => ip.subnet_id)),
    );
    const ends = rules.map((rule) => ({ port: rule.internal_port_id, address: rule.internal_ip_address }));
    if (row.port_id !== null) ends.push({ port: row.port_id, address: row.fixed_ip_address ?? '' });
    for (const { port, address } of ends) {
      const fixed = store.ports.get(port)?.fixed_ips.find((ip) => ip.ip_address === address);
      expect(fixed, 'it leads to an address that is there').toBeDefined();
      expect(inside, 'over an interface of the router').toContain(fixed?.subnet_id);
    }
  }
}

test('whatever is asked, the rows fit each other, and what is refused has changed nothing', () => {
  const done = new Set<string>();
  const refused = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (sequence) => {
      const rig = new Rig();
      rig.external(['203.0.113.0/28']);
      rig.external(['198.51.100.0/28', '2001:db8::/64']);
      rig.routed('10.3.0.0/28', { id: external(rig, 0), subnets: [] });
      for (const one of sequence) {
        const before = snapshot(rig.store);
        try {
          steps[one.what](rig, one);
          done.add(one.what);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          refused.add(error.type);
          // What makes several requests has done some of them.
          if (one.what !== 'network') expect(snapshot(rig.store)).toEqual(before);
        }
        check(rig.store);
      }
    }),
    { numRuns: 150 },
  );
  expect(done, 'every kind of request has worked').toEqual(new Set(Object.keys(steps)));
  expect(refused.size).toBeGreaterThan(10);
});
