import type { Link } from '@astara/kernel/contract.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plan, type Step, type Wanted } from './plan.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const mtu = fc.constantFrom(1450, 1500);
const bridges = fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'z'), mtu), { selector: ([bridge]) => bridge });

const wanted = bridges.chain((list) => {
  const wire = fc.record({
    ifname: name,
    bridge: fc.constantFrom(...list.map(([bridge]) => bridge), 'never'),
    mtu,
    up: fc.boolean(),
  });
  const wires = fc.uniqueArray(wire, { selector: ({ ifname }) => ifname });
  return wires.map((all) => ({
    bridges: new Map(list),
    wires: all.filter(({ bridge }) => bridge !== 'never'),
  }));
});

const links = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'x', 'y', 'z', 'other')).chain((names) =>
  fc.tuple(
    ...names.map((ifname, at) =>
      fc.record({
        index: fc.constant(at + 1),
        ifname: fc.constant(ifname),
        mac: fc.constant(''),
        mtu,
        up: fc.boolean(),
        running: fc.constant(true),
        master: fc.option(fc.nat(names.length), { nil: 0 }),
      }),
    ),
  ),
);

/** What the kernel has when the steps are done. */
function done(before: readonly Link[], steps: readonly Step[]): Link[] {
  const after = new Map(before.map((link) => [link.ifname, link]));
  const change = (ifname: string, values: Partial<Link>) => {
    const link = after.get(ifname);
    if (link !== undefined) after.set(ifname, { ...link, ...values });
  };
  for (const step of steps) {
    if (step.do === 'delete') after.delete(step.ifname);
    else if (step.do === 'set-bridge') change(step.bridge, { mtu: step.mtu, up: true });
    else if (step.do === 'wire')
      change(step.ifname, { mtu: step.mtu, up: step.up, master: after.get(step.bridge)?.index ?? -1 });
    else {
      const index = 100 + after.size;
      const { bridge: ifname, mtu } = step;
      after.set(ifname, { index, ifname, mtu, mac: '', up: false, running: false });
    }
  }
  return [...after.values()];
}

const owned = fc.uniqueArray(fc.constantFrom('a', 'b', 'x', 'y', 'gone')).map((names) => new Set(names));

test('two rounds lead from anything to what is wanted, and then there is nothing to do', () => {
  fc.assert(
    fc.property(wanted, links, owned, (want, before, ours) => {
      let now: Link[] = [...before];
      for (let round = 0; round < 2; round += 1) now = done(now, plan(want, now, ours).steps);
      const { steps, wired } = plan(want, now, ours);
      expect(steps).toEqual([]);
      expect([...wired].sort()).toEqual(expected(want, now));
    }),
  );
});

function expected(want: Wanted, now: readonly Link[]): string[] {
  const there = new Set(now.map(({ ifname }) => ifname));
  return want.wires
    .filter(({ up, ifname }) => up && there.has(ifname))
    .map(({ ifname }) => ifname)
    .sort();
}

test('what is not ours and not wanted is left alone', () => {
  fc.assert(
    fc.property(wanted, links, owned, (want, before, ours) => {
      const touched = plan(want, before, ours).steps.map((step) => ('ifname' in step ? step.ifname : step.bridge));
      const known = new Set<string>([...ours, ...want.bridges.keys(), ...want.wires.map(({ ifname }) => ifname)]);
      expect(touched.filter((ifname) => !known.has(ifname))).toEqual([]);
    }),
  );
});
