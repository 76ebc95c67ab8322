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
const HOPS: RouteTarget[] = ['10.5.0.0/16', '2001:db8:5::/48'].flatMap((destination) => {
  const via = (host: number) => (destination.includes(':') ? `2001:db8::${host}` : `192.0.2.${host}`);
  return [
    { destination, via: via(2) },
    { destination, hops: [{ via: via(2) }, { via: via(3) }] },
    { destination, hops: [{ via: via(3), weight: 7 }, { via: via(4) }, { via: via(5) }] },
  ];
});

const operation: fc.Arbitrary<NetOperation> = fc.oneof(
  fc.record({
    op: fc.constantFrom('address-add' as const, 'address-delete' as const),
    ifname: fc.constant(ifname),
    cidr: fc.constantFrom(...CIDRS),
  }),
  fc
    .tuple(fc.constantFrom('route-replace' as const, 'route-delete' as const), fc.constantFrom(...TARGETS))
    .map(([op, target]) => ({ op, ...target })),
  fc
    .tuple(fc.boolean(), fc.constantFrom(...HOPS))
    .map(
      ([adds, target]): NetOperation =>
        adds ? { op: 'route-replace', ...target } : { op: 'route-delete', destination: target.destination },
    ),
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
    routes: [...routes.values()]
      .flatMap(({ destination, via, hops }) => (hops ?? [{ via, weight: 1 }]).map((hop) => ({ destination, ...hop })))
      .map(text)
      .sort(),
    destinations: routes.size,
  };
}

interface Hop {
  readonly destination: string;
  readonly via?: string | undefined;
  readonly weight?: number;
}

function text({ destination, via = 'here', weight = 1 }: Hop): string {
  return `${destination} ${via} ${weight}`;
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
          expect(routes.map(text).sort()).toEqual(expected.routes);
          const seen = await Promise.all(
            ['-4', '-6'].map((family) => ipJson(here.name, family, 'route', 'show', 'proto', String(ROUTE_PROTOCOL))),
          );
          expect(seen.flat()).toHaveLength(expected.destinations);
          await here.change([{ op: 'link-delete', ifname }]);
        },
      ),
      { numRuns },
    );
  });
}
