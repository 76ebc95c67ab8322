import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../api/fault.ts';
import { Requests } from '../api/requests.ts';
import { networkRow, subnetRow } from '../network/plain-rows.ts';
import type { PortRow } from '../store/rows.ts';
import { Store } from '../store/store.ts';
import { toNumber, within } from './address.ts';
import { poolsOf } from './ipam.ts';
import { changePort, dropPort, makePort } from './ports.ts';

/** A network with a subnet of IPv4 in two pools, and one of IPv6 in which hosts make their own address. */
function place() {
  const store = new Store();
  const requests = new Requests(store, () => undefined);
  const system: Requests['system'] = (work) => requests.system(work);
  const network = networkRow();
  const v4 = subnetRow(network, '10.0.0.0/27', {
    gateway_ip: '10.0.0.1',
    allocation_pools: [
      { start: '10.0.0.4', end: '10.0.0.7' },
      { start: '10.0.0.12', end: '10.0.0.13' },
    ],
  });
  const v6 = subnetRow(network, 'fd00::/64', { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac', enable_dhcp: true });
  system(() => {
    store.networks.put(network);
    store.subnets.put(v4);
    store.subnets.put(v6);
  });
  return { store, system, network, v4, v6 };
}

const room = 6;

test('whatever comes and goes: no address twice, those given lie in the pools, and all can be had', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'make' as const }) },
    fc.record({ kind: fc.constant('named' as const), last: fc.integer({ min: 0, max: 31 }) }),
    fc.record({ kind: fc.constant('drop' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('change' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('undone' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { store, system, network, v4 } = place();
      const request = { network_id: network.id, project_id: 'p' };
      const given = new Set<string>();
      for (const one of steps) {
        const ports = store.ports.all();
        const pick = (at: number) => ports[at % ports.length];
        try {
          system((context) => {
            if (one.kind === 'make') {
              const port = makePort(context, request);
              for (const ip of port.fixed_ips) given.add(ip.ip_address);
            } else if (one.kind === 'named') {
              makePort(context, { ...request, fixed_ips: [{ ip_address: `10.0.0.${one.last}` }] });
            } else if (one.kind === 'undone') {
              makePort(context, request);
              throw new Fault(409, 'Undone', 'on purpose');
            } else {
              const port = pick(one.at);
              if (port === undefined) return;
              if (one.kind === 'drop') dropPort(context, port);
              else changePort(context, port, { fixed_ips: [{ subnet_id: v4.id }] });
            }
          });
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
        const addresses = store.ports.all().flatMap((port) => port.fixed_ips.map((ip) => ip.ip_address));
        expect(new Set(addresses).size).toBe(addresses.length);
      }
      for (const address of given) {
        if (address.includes(':')) continue;
        expect(poolsOf(v4).some((range) => within(range, toNumber(address)))).toBe(true);
      }
      for (const port of store.ports.all()) system((context) => dropPort(context, port));
      const all = Array.from({ length: room }, () => system((context) => makePort(context, request)));
      expect(new Set(all.map(ipv4)).size).toBe(room);
      expect(() => system((context) => makePort(context, request))).toThrow('No more IP addresses available');
      expect(store.ports.size).toBe(room);
    }),
  );
});

const ipv4 = (port: PortRow) => port.fixed_ips.find((ip) => !ip.ip_address.includes(':'))?.ip_address;

test('where hosts make their own address, it follows from the MAC, also from a new one', () => {
  const { system, network, v6 } = place();
  const port = system((context) =>
    makePort(context, { network_id: network.id, project_id: 'p', mac_address: 'fa:16:3e:9a:a8:b6' }),
  );
  const own = (row: PortRow) => row.fixed_ips.find((ip) => ip.subnet_id === v6.id)?.ip_address;
  expect(own(port)).toBe('fd00::f816:3eff:fe9a:a8b6');
  const moved = system((context) => changePort(context, port, { mac_address: 'fa:16:3e:00:00:01' }));
  expect(own(moved)).toBe('fd00::f816:3eff:fe00:1');
  const named = { network_id: network.id, project_id: 'p', fixed_ips: [{ subnet_id: v6.id, ip_address: 'fd00::5' }] };
  expect(() => system((context) => makePort(context, named))).toThrow('configured for automatic addresses');
  const router = system((context) => makePort(context, { ...named, device_owner: 'network:router_interface' }));
  expect(own(router)).toBe('fd00::5');
});

test('addresses that stay are not given anew', () => {
  const { system, network, v4 } = place();
  const port = system((context) => makePort(context, { network_id: network.id, project_id: 'p' }));
  const same = system((context) => changePort(context, port, { fixed_ips: [{ subnet_id: v4.id }] }));
  expect(ipv4(same)).toBe(ipv4(port));
  const two = [{ subnet_id: v4.id }, { subnet_id: v4.id }];
  const both = system((context) => changePort(context, same, { fixed_ips: two }));
  expect(both.fixed_ips.map((ip) => ip.ip_address)).toContain(ipv4(port));
  expect(new Set(both.fixed_ips.map((ip) => ip.ip_address)).size).toBe(2);
});
