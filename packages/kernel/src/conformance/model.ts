/** Random sequences of address and route operations end where a simple model says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import { type NetOperation, ROUTE_PROTOCOL, type RouteTarget } from '../contract.ts';
import { ipJson } from './world.ts';

const ifname = 'here';
const CIDRS = [
  ...[1, 2, 3].map((host) => `10.1.0.${host}/24`),
  '10.2.0.1/32',
  '2001:db8:1::1/64',
  '2001:db8:1::2/64',
  'fe80::99/64',
];
const V4_HOPS = [
  { via: '192.0.2.2' },
  { via: '192.0.2.3', ifname },
  { ifname },
  { via: '203.0.113.1', ifname, onlink: true },
];
const V6_HOPS = [{ via: '2001:db8::2' }, { via: 'fe80::2', ifname }, { ifname }];
const TARGETS: RouteTarget[] = [
  ...['0.0.0.0/0', '10.3.0.0/16', '10.4.0.1/32'].flatMap((destination) =>
    V4_HOPS.map((hop) => ({ destination, ...hop })),
  ),
  ...['::/0', '2001:db8:3::/48', '2001:db8:4::1/128'].flatMap((destination) =>
    V6_HOPS.map((hop) => ({ destination, ...hop })),
  ),
];

const operation: fc.Arbitrary<NetOperation> = fc.oneof(
  fc.record({
    op: fc.constantFrom('address-add' as const, 'address-delete' as const),
    ifname: fc.constant(ifname),
    cidr: fc.constantFrom(...CIDRS),
  }),
  fc
    .tuple(fc.constantFrom('route-replace' as const, 'route-delete' as const), fc.constantFrom(...TARGETS))
    .map(([op, target]) => ({ op, ...target })),
);

/** The state that the operations should lead to. */
function model(operations: readonly NetOperation[]) {
  const addresses = new Set(['192.0.2.1/24', '2001:db8::1/64']);
  const routes = new Map<string, RouteTarget>();
  for (const item of operations) {
    switch (item.op) {
      case 'address-add':
        addresses.add(item.cidr);
        break;
      case 'address-delete':
        addresses.delete(item.cidr);
        break;
      case 'route-replace':
        routes.set(item.destination, item);
        break;
      case 'route-delete':
        // Without a next hop, any one through the interface is meant.
        if (item.via === undefined || routes.get(item.destination)?.via === item.via) routes.delete(item.destination);
        break;
    }
  }
  return {
    addresses: [...addresses].sort(),
    routes: [...routes.values()].map(({ destination, via }) => `${destination} ${via ?? 'here'}`).sort(),
  };
}

export function modelTests(subject: Subject): void {
  test('random operations end in the state of the model', { timeout: 120_000 }, async () => {
    const numRuns = subject.features.fast ? 60 : 10;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        fc.integer({ min: 1, max: 40 }),
        async (operations, cut) => {
          const { here } = await subject.world.pair();
          // In two changes, cut anywhere.
          await here.change(operations.slice(0, cut));
          await here.change(operations.slice(cut));
          const expected = model(operations);
          const addresses = (await here.addresses()).filter(
            (address) => address.ifname === ifname && address.permanent,
          );
          expect(addresses.map(({ cidr }) => cidr).sort()).toEqual(expected.addresses);
          const routes = await here.routes();
          expect(routes.map(({ destination, via }) => `${destination} ${via ?? 'here'}`).sort()).toEqual(
            expected.routes,
          );
          const seen = await Promise.all(
            ['-4', '-6'].map((family) => ipJson(here.name, family, 'route', 'show', 'proto', String(ROUTE_PROTOCOL))),
          );
          expect(seen.flat()).toHaveLength(expected.routes.length);
          await here.change([{ op: 'link-delete', ifname }]);
        },
      ),
      { numRuns },
    );
  });
}
